// One candidate of a run: what it says, what every stage said about it, why it was dropped, and the verdict that overturns it.

import { Button, Modal } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { Sample } from '../../../main/contract/curation.ts'
import type { CandidateDetail } from '../../../main/contract/generation.ts'
import type { CandidateId } from '../../../main/contract/ids.ts'
import { Facts } from '../../components/facts.tsx'
import { Reading } from '../../components/reading.tsx'
import { StageHistory } from '../../components/stage-history.tsx'
import { StatusTag } from '../../components/status-tag.tsx'
import { useAct, useRead } from '../../state/lab.ts'

interface CandidateDialogProps {
  candidateId: CandidateId | null
  onClose(): void
}

/** Open while there is a candidate. */
export function CandidateDialog({ candidateId, onClose }: CandidateDialogProps) {
  const { t } = useTranslation()
  const detail = useRead('sample.get', candidateId === null ? null : { candidateId })
  return (
    <Modal
      opened={candidateId !== null}
      onClose={onClose}
      title={t('generate.candidate')}
      closeButtonProps={{ 'aria-label': t('close') }}
      size="lg"
    >
      {candidateId !== null && <Reading of={detail}>{(sample) => <Body sample={sample} />}</Reading>}
    </Modal>
  )
}

function Body({ sample }: { sample: CandidateDetail & Sample }) {
  const { t } = useTranslation()
  const text = (value: string) => <div className="prose">{value}</div>
  return (
    <div className="stack" data-testid="candidate-dialog">
      <div className="row">
        <StatusTag status={sample.status} />
        <span className="dim clip">{sample.leaf}</span>
        <Decision sample={sample} />
      </div>
      {sample.reason && <div className="note warn-note">{sample.reason}</div>}
      <Facts
        of={[
          sample.context !== '' && [t('taxonomy.seed.context'), text(sample.context)],
          [t('taxonomy.seed.question'), <strong key="question">{text(sample.question || '–')}</strong>],
          [t('taxonomy.seed.answer'), text(sample.answer || '–')],
        ]}
      />
      <StageHistory detail={sample} verdict={sample.verdict} />
    </div>
  )
}

/** The verdict that turns the sample round: in where it is out, out where it is in. */
function Decision({ sample }: { sample: Sample }) {
  const { t } = useTranslation()
  const judge = useAct('sample.judge')
  const isIn = sample.status === 'accepted' || sample.status === 'edited'
  const isWhole = sample.question !== '' && sample.answer !== ''
  return (
    <Button
      ml="auto"
      variant="default"
      loading={judge.isRunning}
      disabled={!isIn && !isWhole}
      onClick={() => void judge.run({ candidateId: sample.id, kind: isIn ? 'reject' : 'accept' })}
    >
      {t(isIn ? 'generate.reject' : 'generate.overturn')}
    </Button>
  )
}
