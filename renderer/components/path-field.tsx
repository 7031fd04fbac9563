// A path on the machine that runs the engine: native dialogs in the desktop app, a text field in the web host (and always editable).

import { Button, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { useDesk } from '../state/lab.ts'

interface PathFieldProps {
  label: string
  kind: 'file' | 'folder' | 'save'
  value: string
  onChange(path: string): void
  placeholder?: string
  /** Offered by the save dialog. */
  suggestedName?: string
}

/** The field and, where there are dialogs, the button that opens one. */
export function PathField({ label, kind, value, onChange, placeholder, suggestedName = '' }: PathFieldProps) {
  const { t } = useTranslation()
  const { bridge } = useDesk().engine
  async function choose(): Promise<void> {
    if (!bridge) return
    const chosen =
      kind === 'folder'
        ? await bridge.chooseFolder()
        : kind === 'file'
          ? await bridge.chooseFile()
          : await bridge.saveFile(suggestedName)
    if (chosen) onChange(chosen)
  }
  return (
    <div className="row-wrap grow">
      <TextInput
        className="grow"
        data-autofocus
        label={label}
        value={value}
        placeholder={placeholder ?? (kind === 'folder' ? '/home/me/folder' : '/home/me/file')}
        spellCheck={false}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
      {bridge && (
        <Button variant="default" onClick={() => void choose()}>
          {t('browse')}
        </Button>
      )}
    </div>
  )
}
