// A dialog that asks for one path and does one thing with it; a failure says why and stays to be corrected.

import { Button, Modal } from '@mantine/core'
import { type FormEvent, type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ErrorFrame } from '../../main/contract/errors.ts'
import { PathField } from './path-field.tsx'
import { ErrorNote } from './reading.tsx'

interface PathDialogProps {
  title: string
  /** Label of the path field. */
  label: string
  kind: 'file' | 'folder'
  placeholder?: string
  hint?: string
  /** Further fields. */
  options?: ReactNode
  /** The action; its busy flag and failure. */
  act: { isRunning: boolean; error: ErrorFrame | null }
  /** True closes the dialog. */
  onSubmit(path: string): Promise<boolean>
  isOpen: boolean
  onClose(): void
  /** What the action brought, for dialogs that stay open to show it. */
  outcome?: ReactNode
}

/** The dialog. */
export function PathDialog({ isOpen, onClose, title, ...form }: PathDialogProps) {
  const { t } = useTranslation()
  return (
    <Modal opened={isOpen} onClose={onClose} title={title} size={720} closeButtonProps={{ 'aria-label': t('close') }}>
      <PathForm {...form} title={title} onClose={onClose} />
    </Modal>
  )
}

function PathForm({
  title,
  label,
  kind,
  placeholder,
  hint,
  options,
  act,
  onSubmit,
  onClose,
  outcome,
}: Omit<PathDialogProps, 'isOpen'>) {
  const { t } = useTranslation()
  const [path, setPath] = useState('')
  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    if (await onSubmit(path.trim())) onClose()
  }
  return (
    <form className="stack" onSubmit={(event) => void submit(event)}>
      <PathField label={label} kind={kind} value={path} onChange={setPath} placeholder={placeholder} />
      {hint && <span className="dim">{hint}</span>}
      {options}
      {act.error && <ErrorNote error={act.error} />}
      {outcome}
      <div className="row">
        <Button type="submit" loading={act.isRunning} disabled={path.trim() === ''}>
          {title}
        </Button>
        {outcome && (
          <Button variant="default" onClick={onClose}>
            {t('close')}
          </Button>
        )}
      </div>
    </form>
  )
}
