// A sample's status as a word with a colour of meaning.

import { useTranslation } from 'react-i18next'
import type { SampleStatus } from '../../main/contract/curation.ts'

const tones: Record<SampleStatus, string> = { accepted: 'good', edited: 'accent', rejected: 'bad', dropped: 'warn' }

/** The word. */
export function StatusTag({ status }: { status: SampleStatus }) {
  const { t } = useTranslation()
  return <span className={`tag ${tones[status]}`}>{t(`sampleStatus.${status}`)}</span>
}
