// Starts the app's main module, ESM or CommonJS, once Playwright's loader (if any) has run.
import { pathToFileURL } from 'node:url'
import './electron-module.ts'

await import(pathToFileURL(globalThis.standinBoot.mainFile).href)
