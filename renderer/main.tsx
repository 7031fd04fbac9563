// Starts the page: connects to the engine, then draws the app.

import '@mantine/core/styles.css'
import '@mantine/notifications/styles.css'
import '@mantine/spotlight/styles.css'
import 'uplot/dist/uPlot.min.css'
import './styles/shell.css'
import './styles/parts.css'
import './styles/authoring.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { z } from 'zod'
import { App } from './app.tsx'
import { openEngine } from './engine.ts'
import { createDesk } from './state/lab.ts'

// The page's content security policy forbids code made at run time, which zod would otherwise try.
z.config({ jitless: true })

const root = document.getElementById('root')
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App desk={createDesk(openEngine())} />
    </StrictMode>,
  )
}
