// Loaded before everything else (node -r): makes `electron` resolve to the stand-in and shapes argv and process as Electron does.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { unpackAsar } from './asar.ts'

/** What the executable was started with. */
export interface Boot {
  /** Folder of the app: where its package.json is. */
  appPath: string
  /** The app's main module. */
  mainFile: string
  /** The command line as Electron shows it: executable first. */
  argv: string[]
  packaged: boolean
}

declare global {
  var standinBoot: Boot
}

const executable = process.env['STANDIN_EXECUTABLE'] ?? process.execPath
delete process.env['STANDIN_EXECUTABLE']
const argv = process.argv.slice(2)
const archive = join(dirname(executable), 'resources/app.asar')
const packaged = existsSync(archive)

registerHooks({
  resolve(specifier, context, next) {
    if (!['electron', 'electron/main', 'electron/common'].includes(specifier)) return next(specifier, context)
    return {
      url: pathToFileURL(join(import.meta.dirname, 'electron-module.ts')).href,
      format: 'module-typescript',
      shortCircuit: true,
    }
  },
})

/** The app's path is the first argument that is neither a switch nor the value of -r. */
function appArgument(): string {
  return argv.find((word, at) => !word.startsWith('-') && !['-r', '--require'].includes(argv[at - 1] ?? '')) ?? '.'
}

function mainOf(path: string): { appPath: string; mainFile: string } {
  if (!existsSync(path)) throw new Error(`electron stand-in: there is no app at ${path}`)
  if (statSync(path).isFile()) return { appPath: dirname(path), mainFile: path }
  const manifest = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as { main?: string }
  return { appPath: path, mainFile: join(path, manifest.main ?? 'index.js') }
}

const app = mainOf(packaged ? unpackAsar(archive) : resolve(appArgument()))
globalThis.standinBoot = { ...app, argv: [executable, ...argv], packaged }
process.argv.splice(0, process.argv.length, executable, ...argv)
Object.assign(process, {
  type: 'browser',
  resourcesPath: packaged ? dirname(archive) : join(import.meta.dirname, 'resources'),
  defaultApp: packaged ? undefined : true,
})
