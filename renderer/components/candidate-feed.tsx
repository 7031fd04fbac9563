// Candidates as they are made, newest first: question, answer, and what became of them.

import { UnstyledButton } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { Candidate } from '../../main/contract/generation.ts'
import type { CandidateId, GenerationId } from '../../main/contract/ids.ts'
import { useLive, useRead } from '../state/lab.ts'

interface CandidateFeedProps {
  generationId: GenerationId
  limit: number
  /** A candidate was chosen; without it entries only tell. */
  onOpen?: (id: CandidateId) => void
}

/** Streams from events; filled at first by what the run already has. */
export function CandidateFeed({ generationId, limit, onOpen }: CandidateFeedProps) {
  const { t } = useTranslation()
  const latest = useRead('generation.latest', { generationId, limit }).value ?? []
  const streamed = useLive((state) => state.candidates[generationId]) ?? []
  const shown = newestFirst([...streamed, ...latest]).slice(0, limit)
  if (shown.length === 0) return <span className="dim">{t('generate.feedEmpty')}</span>
  return (
    <div className="feed" data-testid="candidate-feed">
      {shown.map((candidate) => (
        <article key={candidate.id}>
          {onOpen ? (
            <UnstyledButton className="question clip" onClick={() => onOpen(candidate.id)}>
              {candidate.question || '…'}
            </UnstyledButton>
          ) : (
            <span className="question clip">{candidate.question || '…'}</span>
          )}
          <CandidateFate candidate={candidate} />
          <span className="clip">{candidate.answer}</span>
          <span className="meta clip">{candidate.leaf.split('/').at(-1)}</span>
        </article>
      ))}
    </div>
  )
}

/** What became of a candidate, in a word. */
function CandidateFate({ candidate }: { candidate: Candidate }) {
  const { t } = useTranslation()
  if (candidate.state === 'in-progress') return <span className="tag">{t('generate.inProgress')}</span>
  if (candidate.state === 'passed') return <span className="tag good">{t('generate.kept')}</span>
  return (
    <span className="tag warn" title={candidate.reason}>
      {candidate.droppedBy ? t(`drops.${candidate.droppedBy}`) : t('generate.dropped')}
    </span>
  )
}

/** One line a candidate: the streamed one is the fresher when both are known. */
function newestFirst(candidates: readonly Candidate[]): Candidate[] {
  const byId = new Map<string, Candidate>()
  for (const candidate of candidates) if (!byId.has(candidate.id)) byId.set(candidate.id, candidate)
  return [...byId.values()].sort((a, b) => b.createdAtMs - a.createdAtMs || b.slot - a.slot)
}
