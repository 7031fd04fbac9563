// What every stage said about a candidate: the judge's words, its score, and at last the person's verdict.

import { useTranslation } from 'react-i18next'
import type { Verdict } from '../../main/contract/curation.ts'
import type { CandidateDetail, StageOutcome } from '../../main/contract/generation.ts'
import { formatWhen } from '../format.ts'

interface StageHistoryProps {
  detail: CandidateDetail
  verdict: Verdict | null
}

/** Oldest first. */
export function StageHistory({ detail, verdict }: StageHistoryProps) {
  const { t } = useTranslation()
  return (
    <ol className="history" data-testid="stage-history">
      {detail.stages.map((outcome, index) => (
        <li key={`${index} ${outcome.stage}`} className={outcome.passed ? 'passed' : 'failed'}>
          <div className="row">
            <strong>{t(`stages.${outcome.stage}`)}</strong>
            <span className={outcome.passed ? 'good' : 'bad'}>
              {outcome.passed ? t('curate.passed') : t('curate.failed')}
            </span>
            {outcome.score !== null && (
              <span className="dim">{t('curate.score', { score: Number(outcome.score.toFixed(2)) })}</span>
            )}
            <span className="dim" style={{ marginLeft: 'auto', fontSize: 12 }}>
              {callText(outcome)}
            </span>
          </div>
          {outcome.words && <div className="prose">{outcome.words}</div>}
          {outcome.reasoning && (
            <details>
              <summary className="dim">{t('curate.reasoning')}</summary>
              <div className="prose dim">{outcome.reasoning}</div>
            </details>
          )}
        </li>
      ))}
      {detail.duplicateOf && (
        <li>
          {t('curate.duplicateOf')} <span className="mono">{detail.duplicateOf}</span>
        </li>
      )}
      {verdict && (
        <li className={verdict.kind === 'reject' ? 'failed' : 'passed'}>
          <strong>{t(`curate.verdict.${verdict.kind}`)}</strong>{' '}
          <span className="dim">
            {t(`curate.author.${verdict.author}`)} · {formatWhen(verdict.createdAtMs)}
          </span>
          {verdict.reason && <div className="prose">{verdict.reason}</div>}
        </li>
      )}
    </ol>
  )
}

function callText({ promptTokens, outputTokens, durationMs }: StageOutcome): string {
  return promptTokens > 0 ? `${promptTokens} → ${outputTokens} tok · ${Math.round(durationMs)} ms` : ''
}
