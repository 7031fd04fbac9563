// The command palette: every screen, every action of the mounted screen, and what can be done from anywhere.

import { Spotlight, type SpotlightActionData } from '@mantine/spotlight'
import { useTranslation } from 'react-i18next'
import { useStore } from 'zustand'
import { useActiveJob, useAct } from '../state/lab.ts'
import { keyBindings } from '../state/keys.ts'
import { goTo, screens } from '../state/route.ts'

/** Opens with Ctrl/Cmd+K. */
export function Palette() {
  const { t } = useTranslation()
  const here = Object.values(useStore(keyBindings)).flat()
  const anywhere = [...useOpeningCommands(), ...useJobCommands(), ...useSettingCommands()]
  const groups = [
    { group: t('palette.here'), actions: here.map(({ label, run }) => command(label, run)) },
    { group: t('palette.screens'), actions: screens.map((name) => command(t(`screens.${name}`), () => goTo(name))) },
    { group: t('palette.actions'), actions: anywhere },
  ]
  return (
    <Spotlight
      title={t('keys.palette')}
      classNames={{ header: 'unseen' }}
      actions={groups}
      shortcut="mod + K"
      nothingFound={t('palette.nothing')}
      highlightQuery
      overlayProps={{ backgroundOpacity: 0.35, blur: 0 }}
      scrollable
      maxHeight={420}
      searchProps={{ placeholder: t('palette.search'), 'aria-label': t('palette.search') }}
    />
  )
}

function command(label: string, onClick: () => void): SpotlightActionData {
  return { id: label, label, onClick }
}

function useOpeningCommands(): SpotlightActionData[] {
  const { t } = useTranslation()
  const runDemo = useAct('demo.run')
  return [
    command(t('overview.runDemo'), () => {
      goTo('overview')
      void runDemo.run({})
    }),
    command(t('models.add'), () => goTo('models', 'add')),
    command(t('models.scan'), () => goTo('models', 'scan')),
    command(t('taxonomy.newLeaf'), () => goTo('taxonomy', 'new')),
    command(t('taxonomy.import'), () => goTo('taxonomy', 'import')),
    command(t('taxonomy.export'), () => goTo('taxonomy', 'export')),
    command(t('documents.add'), () => goTo('documents', 'add')),
    command(t('generate.new'), () => goTo('generate', 'new')),
    command(t('datasets.freeze'), () => goTo('datasets', 'freeze')),
    command(t('tune.new'), () => goTo('tune', 'new')),
    command(t('evaluate.run'), () => goTo('evaluate', 'run')),
    command(t('settings.offline'), () => goTo('settings', 'offline')),
    command(t('settings.prompts'), () => goTo('settings', 'prompts')),
  ]
}

function useJobCommands(): SpotlightActionData[] {
  const { t } = useTranslation()
  const job = useActiveJob()
  const pause = useAct('job.pause')
  const resume = useAct('job.resume')
  if (!job) return []
  return job.state === 'running'
    ? [command(t('jobs.pause'), () => void pause.run({ jobId: job.id }))]
    : [command(t('jobs.resume'), () => void resume.run({ jobId: job.id }))]
}

function useSettingCommands(): SpotlightActionData[] {
  const { t } = useTranslation()
  const set = useAct('settings.set')
  return [
    command(`${t('settings.theme')}: ${t('settings.light')}`, () => void set.run({ theme: 'light' })),
    command(`${t('settings.theme')}: ${t('settings.dark')}`, () => void set.run({ theme: 'dark' })),
    command(`${t('settings.theme')}: ${t('settings.system')}`, () => void set.run({ theme: 'system' })),
    command('Language: English', () => void set.run({ language: 'en' })),
    command('言語: 日本語', () => void set.run({ language: 'ja' })),
  ]
}
