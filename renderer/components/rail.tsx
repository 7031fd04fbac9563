// The left rail: the twelve screens in the order of the work.

import {
  IconBooks,
  IconChartLine,
  IconChecklist,
  IconClipboardCheck,
  IconDatabase,
  IconFileExport,
  IconFileText,
  IconHierarchy2,
  IconHome,
  IconMessages,
  IconSettings,
  IconSparkles,
  type IconProps,
} from '@tabler/icons-react'
import type { ComponentType } from 'react'
import { useTranslation } from 'react-i18next'
import type { Overview } from '../../main/contract/workspace.ts'
import { formatCount } from '../format.ts'
import { useRead } from '../state/lab.ts'
import { hrefOf, type Screen, screens } from '../state/route.ts'

const icons: Record<Screen, ComponentType<IconProps>> = {
  overview: IconHome,
  models: IconBooks,
  taxonomy: IconHierarchy2,
  documents: IconFileText,
  generate: IconSparkles,
  curate: IconChecklist,
  datasets: IconDatabase,
  tune: IconChartLine,
  evaluate: IconClipboardCheck,
  chat: IconMessages,
  export: IconFileExport,
  settings: IconSettings,
}
const startsGroup: readonly Screen[] = ['models', 'generate', 'tune', 'settings']

/** Links to every screen, with counts where they say something. */
export function Rail({ screen }: { screen: Screen }) {
  const { t } = useTranslation()
  const overview = useRead('workspace.overview', {}).value
  return (
    <nav className="rail" aria-label={t('rail')}>
      <div className="rail-project clip" title={overview?.project.folder}>
        {overview?.project.name ?? 'Labdesk'}
      </div>
      {screens.map((name) => {
        const Icon = icons[name]
        const count = overview && countOf(overview.counts, name)
        return [
          startsGroup.includes(name) && <div key={`${name} line`} className="rail-group" />,
          <a key={name} className="rail-link" href={hrefOf(name)} aria-current={name === screen ? 'page' : undefined}>
            <Icon size={16} stroke={1.6} aria-hidden="true" />
            <span>{t(`screens.${name}`)}</span>
            {count ? (
              <span className="rail-count" aria-hidden="true">
                {formatCount(count)}
              </span>
            ) : null}
          </a>,
        ]
      })}
    </nav>
  )
}

function countOf(counts: Overview['counts'], screen: Screen): number {
  const shown: Partial<Record<Screen, number>> = {
    taxonomy: counts.leaves,
    documents: counts.documents,
    curate: counts.candidates,
    datasets: counts.datasets,
    tune: counts.tunings,
    evaluate: counts.evaluations,
  }
  return shown[screen] ?? 0
}
