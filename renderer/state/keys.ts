// Keys of the mounted screens. A screen lists its keys with what they do; `?` shows the list. Keys never fire while someone types
// or a dialog is open, and never shadow the browser's own (Ctrl, Cmd, Alt).

import { useEffect, useId, useRef } from 'react'
import { createStore } from 'zustand/vanilla'

export interface KeyBinding {
  /** `KeyboardEvent.key`, e.g. `j`, `U` (with shift), `/`, `ArrowDown`. */
  keys: readonly string[]
  label: string
  run(): void
}

/** What `?` shows: bindings by the screen part that registered them. */
export const keyBindings = createStore<Record<string, readonly KeyBinding[]>>(() => ({}))

/** Binds keys while mounted. */
export function useKeys(bindings: readonly KeyBinding[]): void {
  const owner = useId()
  const latest = useRef(bindings)
  useEffect(() => {
    latest.current = bindings
  })
  const labels = bindings.map((binding) => `${binding.keys.join(' ')} ${binding.label}`).join('\n')
  useEffect(() => {
    const shown = latest.current.map(({ keys, label }, index) => ({
      keys,
      label,
      run: () => latest.current[index]?.run(),
    }))
    keyBindings.setState({ [owner]: shown })
    return () => keyBindings.setState(({ [owner]: _gone, ...rest }) => rest, true)
  }, [owner, labels])
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || isForSomeoneElse(event)) return
      const binding = latest.current.find(({ keys }) => keys.includes(event.key))
      if (!binding) return
      event.preventDefault()
      binding.run()
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [])
}

function isForSomeoneElse(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return true
  if (document.querySelector('[role="dialog"]')) return true
  const target = event.target
  if (!(target instanceof Element)) return false
  // Choices take the arrow keys and the space bar only; letters stay the screen's.
  if (target.matches('input[type="radio"], input[type="checkbox"]')) return /^(Arrow.*| )$/.test(event.key)
  return target.closest('input, textarea, select, [contenteditable="true"]') !== null
}
