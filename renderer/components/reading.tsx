// The three states of everything that is read from the engine: loading, failed with a remedy, empty with what to do next.

import { Button, Loader } from '@mantine/core'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { ErrorFrame } from '../../main/contract/errors.ts'
import type { Read } from '../state/lab.ts'

interface ReadingProps<Value> {
  of: Read<Value>
  /** Shown in place of the children when `isEmpty` says so. */
  empty?: ReactNode
  isEmpty?: (value: Value) => boolean
  children: (value: Value) => ReactNode
}

/** Shows a read, whatever state it is in. */
export function Reading<Value>({ of, empty, isEmpty, children }: ReadingProps<Value>) {
  const { t } = useTranslation()
  if (of.state === 'loading') {
    return (
      <div className="row dim" role="status">
        <Loader size={14} /> {t('loading')}
      </div>
    )
  }
  if (of.state === 'failed') return <ErrorNote error={of.error} onRetry={of.retry} />
  if (empty !== undefined && (isEmpty ?? isEmptyList)(of.value)) return empty
  return (
    <>
      {of.error && <ErrorNote error={of.error} onRetry={of.retry} />}
      {children(of.value)}
    </>
  )
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}

interface ErrorNoteProps {
  error: ErrorFrame
  onRetry?: (() => void) | undefined
}

/** What happened and what to do; the technical words on demand. */
export function ErrorNote({ error, onRetry }: ErrorNoteProps) {
  const { t } = useTranslation()
  return (
    <div className="note bad-note" role="alert" data-testid="error-note">
      <strong>{error.message}</strong>
      <div>{error.remedy}</div>
      {error.detail && (
        <details>
          <summary className="dim">{t('details')}</summary>
          <pre className="mono prose hush">{error.detail}</pre>
        </details>
      )}
      {onRetry && (
        <Button variant="default" mt={6} onClick={onRetry}>
          {t('retry')}
        </Button>
      )}
    </div>
  )
}

interface EmptyNoteProps {
  title: string
  text: string
  children?: ReactNode
}

/** An empty list: what belongs here, and the buttons that bring it. */
export function EmptyNote({ title, text, children }: EmptyNoteProps) {
  return (
    <div className="empty" data-testid="empty-note">
      <h2>{title}</h2>
      <p>{text}</p>
      {children && <div className="row">{children}</div>}
    </div>
  )
}
