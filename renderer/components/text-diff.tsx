// The difference of two texts, line by line; what did not change is folded away but for the lines around a change.

import { diffLines } from 'diff'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'

const around = 2
const mostLines = 3000
const timeLimitMs = 500

export type DiffLine =
  | { kind: 'same' | 'added' | 'gone'; text: string }
  /** Lines that are not shown. */
  | { kind: 'gap'; count: number }

/** Lines of a difference. A comparison that takes too long shows the one text gone and the other added. */
export function linesOfDiff(before: string, after: string): DiffLine[] {
  const parts = diffLines(before, after, { timeout: timeLimitMs }) ?? [
    { value: before, removed: true, added: false },
    { value: after, removed: false, added: true },
  ]
  return parts.flatMap(({ value, added, removed }, at): DiffLine[] => {
    const lines = value.replace(/\n$/, '').split('\n')
    if (added || removed) {
      return lines.map((text) => ({ kind: added ? 'added' : 'gone', text: withVisibleSpace(text) }))
    }
    const head = at === 0 ? 0 : around
    const tail = at === parts.length - 1 ? 0 : around
    const hidden = lines.length - head - tail
    const same = (part: string[]) => part.map((text): DiffLine => ({ kind: 'same', text }))
    if (hidden < 2) return same(lines)
    return [...same(lines.slice(0, head)), { kind: 'gap', count: hidden }, ...same(lines.slice(lines.length - tail))]
  })
}

/** Tabs before a text and space behind it are often all that differs. */
function withVisibleSpace(text: string): string {
  const end = (space: string) => space.replaceAll(' ', '·').replaceAll('\t', '→').replaceAll('\r', '␍')
  return text.replace(/[ \t\r]+$/, end).replace(/^[ \t]+/, (space) => space.replaceAll('\t', '→   '))
}

interface TextDiffProps {
  label: string
  before: string
  after: string
}

const marks = { same: ' ', added: '+', gone: '−' } as const

/** The difference as marked lines. */
export function TextDiff({ label, before, after }: TextDiffProps) {
  const { t } = useTranslation()
  const lines = useMemo(() => linesOfDiff(before, after), [before, after])
  if (before === after) return <p className="dim">{t('diff.none')}</p>
  return (
    <div className="text-diff mono" role="region" aria-label={label} tabIndex={0} data-testid="text-diff">
      {lines.slice(0, mostLines).map((line, at) => (
        <div key={at} className={line.kind}>
          {line.kind === 'gap' ? t('diff.gap', { count: line.count }) : `${marks[line.kind]} ${line.text}`}
        </div>
      ))}
      {lines.length > mostLines && <div className="gap">{t('more', { count: lines.length - mostLines })}</div>}
    </div>
  )
}
