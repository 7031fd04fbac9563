// A number as people type it: 2e-5 stays 2e-5 while it is being written.

import { TextInput } from '@mantine/core'
import { useState } from 'react'
import { readNumber } from '../../state/plan.ts'

interface NumberCellProps {
  label: string
  value: number
  isBroken: boolean
  /** NaN while the text is no number, so that the plan cannot be started. */
  onChange(value: number): void
}

/** The field; marked when its value cannot be used. */
export function NumberCell({ label, value, isBroken, onChange }: NumberCellProps) {
  const [typed, setTyped] = useState<string | null>(null)
  const shown = typed ?? (value !== 0 && value < 0.001 ? value.toExponential() : String(value))
  const isUnread = typed !== null && readNumber(typed) === null
  return (
    <TextInput
      w={110}
      aria-label={label}
      inputMode="decimal"
      value={shown}
      error={isBroken || isUnread}
      onChange={(event) => {
        setTyped(event.currentTarget.value)
        onChange(readNumber(event.currentTarget.value) ?? Number.NaN)
      }}
      onBlur={() => !isUnread && setTyped(null)}
    />
  )
}
