// Settings: appearance and machine, projects, the proof of being offline, the one way out of it, the prompts, about.

import { Tabs } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { Screen } from '../../components/screen.tsx'
import { goTo } from '../../state/route.ts'
import { AboutPage } from './about-page.tsx'
import { GeneralPage } from './general-page.tsx'
import { OfflinePage } from './offline-page.tsx'
import { ProjectsPage } from './projects-page.tsx'
import { PromptsPage } from './prompts-page.tsx'
import { RemoteTeacherPage } from './remote-teacher-page.tsx'

const pages = ['general', 'projects', 'offline', 'remote', 'prompts', 'about'] as const
type Page = (typeof pages)[number]
const bodies: Record<Page, () => React.ReactNode> = {
  general: GeneralPage,
  projects: ProjectsPage,
  offline: OfflinePage,
  remote: RemoteTeacherPage,
  prompts: PromptsPage,
  about: AboutPage,
}

/** `subject` is the page that is open. */
export function SettingsView({ subject }: { subject: string }) {
  const { t } = useTranslation()
  const open = pages.find((page) => page === subject) ?? 'general'
  return (
    <Screen name="settings">
      <Tabs value={open} onChange={(page) => page && goTo('settings', page)}>
        <Tabs.List mb="md">
          {pages.map((page) => (
            <Tabs.Tab key={page} value={page}>
              {t(`settings.${page}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {pages.map((page) => {
          const Body = bodies[page]
          return (
            <Tabs.Panel key={page} value={page}>
              <Body />
            </Tabs.Panel>
          )
        })}
      </Tabs>
    </Screen>
  )
}
