// npm start: the desktop app where Electron's binary is installed, else the same app over the loopback host, in an app window of
// Chromium where there is a display. Builds first when out/ is stale. Never requires 'electron': that would start a download.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { defaultDataDir } from '../main/hosts/node/paths.ts'
import { build } from './build.ts'
import { root } from './steps.ts'

const flags = process.argv.slice(2)

/** Electron's executable, if it is on this machine. */
function findElectron(): string | undefined {
  const given = process.env['ELECTRON_EXEC_PATH']
  if (given) return given
  const folder = dirname(createRequire(import.meta.url).resolve('electron/package.json'))
  const pathFile = join(folder, 'path.txt')
  const name = existsSync(pathFile) ? readFileSync(pathFile, 'utf8') : 'electron'
  const file = join(process.env['ELECTRON_OVERRIDE_DIST_PATH'] ?? join(folder, 'dist'), name)
  return existsSync(file) ? file : undefined
}

function startDesktop(electron: string): void {
  endWith(spawn(electron, [root, ...flags], { stdio: 'inherit' }))
}

/** This process lives as long as the app does, and passes on what it is told. */
function endWith(child: ChildProcess): void {
  child.on('error', (error) => {
    console.error(`${child.spawnfile} could not be started: ${error.message}`)
    process.exit(1)
  })
  child.on('exit', (code) => process.exit(code ?? 1))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
}

/** The web host prints its link; everything else it says is passed on. */
function startWeb(why: string): void {
  console.log(`${why}\nStarting the same app for your browser instead.`)
  const host = spawn(
    process.execPath,
    [join(root, 'main/hosts/web/main.ts'), ...flags.filter((flag) => flag !== '--web')],
    {
      stdio: ['inherit', 'pipe', 'inherit'],
    },
  )
  endWith(host)
  let opened = false
  createInterface({ input: host.stdout }).on('line', (line) => {
    const [link] = /http:\/\/\S+/.exec(line) ?? []
    if (link && !opened) {
      opened = true
      openWindow(link, () => host.kill())
    } else console.log(line)
  })
}

function openWindow(link: string, onClosed: () => void): void {
  const chromium = ['chromium', 'chromium-browser', 'google-chrome']
    .map((name) => `/usr/bin/${name}`)
    .find((file) => existsSync(file))
  const hasDisplay = Boolean(process.env['DISPLAY'] ?? process.env['WAYLAND_DISPLAY'])
  if (!chromium || !hasDisplay) {
    console.log(`Open this link in a browser on this machine:\n\n  ${link}\n`)
    return
  }
  console.log(`Opening ${link}`)
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  // A profile of its own: a browser that is open already would take the link over and end this one, and the app with it.
  const profile = `--user-data-dir=${join(defaultDataDir(), 'window')}`
  const window = spawn(chromium, [...sandbox, ...quietFlags, profile, `--app=${link}`], { stdio: 'ignore' })
  window.on('exit', onClosed)
}

const quietFlags = [
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
]

if (await build({ force: false })) {
  const electron = flags.includes('--web') ? undefined : findElectron()
  if (electron) startDesktop(electron)
  else if (flags.includes('--web')) startWeb('The web host was asked for.')
  else startWeb("Electron's binary is not on this machine (with network, `npx install-electron` fetches it).")
}
