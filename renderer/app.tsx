// The window: providers, rail, the current screen, status bar, palette, keys help.

import { MantineProvider, useMantineColorScheme } from '@mantine/core'
import { ModalsProvider } from '@mantine/modals'
import { Notifications } from '@mantine/notifications'
import { type ComponentType, useEffect, useRef } from 'react'
import { I18nextProvider, useTranslation } from 'react-i18next'
import { ConnectionBar } from './components/connection-bar.tsx'
import { ErrorBoundary } from './components/error-boundary.tsx'
import { KeysHelp } from './components/keys-help.tsx'
import { Palette } from './components/palette.tsx'
import { Rail } from './components/rail.tsx'
import { StatusBar } from './components/status-bar.tsx'
import { i18n, setLanguage } from './i18n.ts'
import { type Desk, DeskProvider, useRead } from './state/lab.ts'
import { type Screen, useRoute } from './state/route.ts'
import { cssVariables, theme } from './theme.ts'
import { ChatView } from './views/chat/chat-view.tsx'
import { CurateView } from './views/curate/curate-view.tsx'
import { DatasetsView } from './views/datasets/datasets-view.tsx'
import { DocumentsView } from './views/documents/documents-view.tsx'
import { EvaluateView } from './views/evaluate/evaluate-view.tsx'
import { ExportView } from './views/export/export-view.tsx'
import { GenerateView } from './views/generate/generate-view.tsx'
import { ModelsView } from './views/models/models-view.tsx'
import { OverviewView } from './views/overview/overview-view.tsx'
import { SettingsView } from './views/settings/settings-view.tsx'
import { TaxonomyView } from './views/taxonomy/taxonomy-view.tsx'
import { TuneView } from './views/tune/tune-view.tsx'

const views: Record<Screen, ComponentType<{ subject: string }>> = {
  overview: OverviewView,
  models: ModelsView,
  taxonomy: TaxonomyView,
  documents: DocumentsView,
  generate: GenerateView,
  curate: CurateView,
  datasets: DatasetsView,
  tune: TuneView,
  evaluate: EvaluateView,
  chat: ChatView,
  export: ExportView,
  settings: SettingsView,
}

/** The whole app over a desk. */
export function App({ desk }: { desk: Desk }) {
  return (
    <Providers desk={desk}>
      <Notifications position="bottom-right" limit={4} zIndex={500} />
      <Palette />
      <KeysHelp />
      <Shell />
    </Providers>
  )
}

/** What every screen needs above it; tests of single screens use it too. */
export function Providers({ desk, children }: { desk: Desk; children: React.ReactNode }) {
  return (
    <I18nextProvider i18n={i18n}>
      <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
        <DeskProvider value={desk}>
          <ModalsProvider>{children}</ModalsProvider>
        </DeskProvider>
      </MantineProvider>
    </I18nextProvider>
  )
}

function Shell() {
  const { t } = useTranslation()
  const { screen, subject } = useRoute()
  const main = useRef<HTMLElement>(null)
  usePreferences()
  useEffect(() => {
    document.title = `${i18n.t(`screens.${screen}`)} – Labdesk`
  }, [screen])
  const View = views[screen]
  return (
    <div className="shell">
      <a
        className="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault()
          main.current?.focus()
        }}
      >
        {t('skip')}
      </a>
      <ConnectionBar />
      <Rail screen={screen} />
      <main id="main" className="main" ref={main} tabIndex={-1}>
        <ErrorBoundary key={screen}>
          <View subject={subject} />
        </ErrorBoundary>
      </main>
      <StatusBar />
    </div>
  )
}

/** Follows the engine's settings: theme and language. */
function usePreferences(): void {
  const settings = useRead('settings.get', {}).value
  const { setColorScheme } = useMantineColorScheme()
  const theme = settings?.theme
  const language = settings?.language
  useEffect(() => {
    if (theme) setColorScheme(theme === 'system' ? 'auto' : theme)
  }, [theme, setColorScheme])
  useEffect(() => {
    if (language) setLanguage(language)
  }, [language])
}
