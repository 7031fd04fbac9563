// Draws a screen with everything it needs above it, over a scripted engine.

import { notifications } from '@mantine/notifications'
import { cleanup, configure, render } from '@testing-library/react'
import type { ReactNode } from 'react'
import { afterEach } from 'vitest'
import { Providers } from '../../../renderer/app.tsx'
import { createDesk, type Desk } from '../../../renderer/state/lab.ts'
import type { ScriptedEngine } from './scripted-engine.ts'

// Busy machines are slow; a wait ends as soon as what it waits for is there.
configure({ asyncUtilTimeout: 15_000 })

// happy-dom has no font loading; growing text fields listen to it.
if (!document.fonts) Object.defineProperty(document, 'fonts', { value: new EventTarget() })

afterEach(() => {
  notifications.cleanQueue()
  notifications.clean()
  cleanup()
  localStorage.clear()
  location.hash = ''
})

/** The drawn screen's desk. */
export function draw(engine: ScriptedEngine, screen: ReactNode): Desk {
  const desk = createDesk(engine)
  render(<Providers desk={desk}>{screen}</Providers>)
  return desk
}
