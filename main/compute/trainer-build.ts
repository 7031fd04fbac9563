// Finds the native trainer, or builds it with cmake from native/, and finds the ggml library it opens. Knows nothing of the protocol.
// Invariant: an executable whose stamp matches the sources is used as it is; a folder without sources uses what was shipped.

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../contract/errors.ts'

const executableName = process.platform === 'win32' ? 'labdesk-trainer.exe' : 'labdesk-trainer'
const sourceFolders = ['include', 'kernels', 'src']

export interface TrainerBuildOptions {
  /** The application's folder: the one that holds native/ and node_modules/ (inside an asar archive, its unpacked twin is used). */
  root: string
  /** Build with AddressSanitizer and UndefinedBehaviourSanitizer, beside the release build. */
  sanitize?: boolean
  onLog?: (line: string) => void
}

/**
 * Path of a trainer executable that matches the sources, built first if need be (seconds).
 * Throws `trainer-missing` when there is none and no compiler, cmake or git to make one.
 */
export async function ensureTrainer(options: TrainerBuildOptions): Promise<string> {
  const place = buildPlace(options.root, options.sanitize ?? false)
  const built = findBuilt(place)
  if (built) return built
  if (!existsSync(join(place.native, 'CMakeLists.txt')))
    throw missing('The trainer is not part of this installation.', 'Reinstall Labdesk.')
  const unlock = await lockBuild(`${place.build}.lock`)
  try {
    // Another process may have built it meanwhile.
    if (!findBuilt(place)) await buildTrainer(place, options)
  } finally {
    unlock()
  }
  return place.executable
}

/** Path of the trainer if it is there and matches the sources; builds nothing. */
export function builtTrainer(root: string): string | undefined {
  return findBuilt(buildPlace(root, false))
}

interface BuildPlace {
  root: string
  native: string
  build: string
  executable: string
}

function buildPlace(appRoot: string, sanitize: boolean): BuildPlace {
  const root = unpacked(appRoot)
  const native = join(root, 'native')
  const build = join(native, sanitize ? 'build-sanitize' : 'build')
  return { root, native, build, executable: join(build, executableName) }
}

function findBuilt({ root, native, build, executable }: BuildPlace): string | undefined {
  if (!existsSync(executable)) return undefined
  if (!existsSync(join(native, 'CMakeLists.txt'))) return executable
  const stampPath = join(build, 'stamp')
  const isCurrent = existsSync(stampPath) && readFileSync(stampPath, 'utf8') === hashSources(native, root)
  return isCurrent ? executable : undefined
}

/** Keeps two processes (test workers, a second window) from building in one folder at once; a dead owner's lock is taken over. */
async function lockBuild(path: string): Promise<() => void> {
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' })
      return () => rmSync(path, { force: true })
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
    if (!isAlive(readOwner(path))) rmSync(path, { force: true })
    await delay(200)
  }
}

function readOwner(path: string): number {
  return existsSync(path) ? Number(readFileSync(path, 'utf8')) || process.pid : process.pid
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

export type DeviceVariant = 'vulkan' | 'cuda'

/** The folder of the libraries with that backend, or undefined where node-llama-cpp has none here. Metal's are the plain ones. */
export function findDeviceLibraryDir(root: string, variant: DeviceVariant): string | undefined {
  return findBins(root, `${libraryPlatform()}-${variant}`)
}

/** The folder of libggml-base that node-llama-cpp ships for this machine, as `open.libraryDir`. */
export function findLibraryDir(root: string): string {
  const platform = libraryPlatform()
  const bins = findBins(root, platform)
  if (bins) return bins
  throw new AppError({
    code: 'trainer-missing',
    message: `The package @node-llama-cpp/${platform} is not installed, so the trainer has no ggml library.`,
    remedy: 'Run "npm install" again, or reinstall Labdesk.',
  })
}

function findBins(root: string, platform: string): string | undefined {
  return moduleFolders(root)
    .map((modules) => join(modules, '@node-llama-cpp', platform, 'bins', platform))
    .find((bins) => existsSync(bins))
}

/** A path inside an asar archive, as it is on the disk. */
function unpacked(path: string): string {
  return path.replace(/app\.asar(?=$|[\\/])/, 'app.asar.unpacked')
}

function libraryPlatform(): string {
  const { platform, arch } = process
  if (platform === 'darwin') return arch === 'arm64' ? 'mac-arm64-metal' : 'mac-x64'
  if (platform === 'win32') return `win-${arch}`
  return arch === 'arm' ? 'linux-armv7l' : `linux-${arch}`
}

/** node_modules folders that may hold node-llama-cpp's packages, nearest first. */
function moduleFolders(root: string): string[] {
  const resolve = createRequire(join(unpacked(root), 'package.json')).resolve
  const folders = resolve.paths('@node-llama-cpp/x') ?? []
  return folders.flatMap((folder) => [folder, join(folder, 'node-llama-cpp', 'node_modules')])
}

function missing(message: string, remedy: string, detail?: string): AppError {
  return new AppError({ code: 'trainer-missing', message, remedy, detail })
}

function hashSources(native: string, root: string): string {
  const hash = createHash('sha256')
  const add = (path: string) =>
    hash.update(path.slice(native.length)).update('\0').update(readFileSync(path)).update('\0')
  add(join(native, 'CMakeLists.txt'))
  for (const folder of sourceFolders)
    for (const name of readdirSync(join(native, folder)).sort()) add(join(native, folder, name))
  const bundle = findBundle(root)
  if (bundle) hash.update(readFileSync(bundle.packagePath))
  return hash.digest('hex')
}

/** llama.cpp's source at the release node-llama-cpp was built from. */
function findBundle(root: string): { bundlePath: string; packagePath: string } | undefined {
  for (const modules of moduleFolders(root)) {
    const bundlePath = join(modules, 'node-llama-cpp', 'llama', 'gitRelease.bundle')
    if (existsSync(bundlePath)) return { bundlePath, packagePath: join(modules, 'node-llama-cpp', 'package.json') }
  }
  return undefined
}

async function buildTrainer(place: BuildPlace, options: TrainerBuildOptions): Promise<void> {
  const { root, native, build, executable } = place
  mkdirSync(build, { recursive: true })
  const log = options.onLog ?? (() => {})
  const stamp = hashSources(native, root)
  const headers = await checkOutHeaders(build, root, log)
  // A cache made elsewhere (the folder was moved or copied) would be refused.
  rmSync(join(build, 'CMakeCache.txt'), { force: true })
  const configure = [
    ['-S', native, '-B', build],
    ['-DCMAKE_BUILD_TYPE=Release', `-DLABDESK_SANITIZE=${options.sanitize ? 'ON' : 'OFF'}`],
    [`-DLABDESK_GGML_INCLUDE=${headers.folder}`, `-DLABDESK_GGML_VERSION=${headers.version}`],
  ].flat()
  await runTool('cmake', configure, log)
  await runTool('cmake', ['--build', build, '--config', 'Release', '--parallel', String(availableParallelism())], log)
  if (!existsSync(executable))
    throw missing(`The build ended without ${executable}.`, 'Run "npm run build:native" and read its output.')
  writeFileSync(join(build, 'stamp'), stamp)
}

/** ggml's public headers, taken from the source bundle; their version must be the library's. */
async function checkOutHeaders(
  build: string,
  root: string,
  log: (line: string) => void,
): Promise<{ folder: string; version: string }> {
  const bundle = findBundle(root)
  if (!bundle) throw missing('The llama.cpp source of node-llama-cpp is not installed.', 'Run "npm install" again.')
  const source = join(build, 'llama-source')
  rmSync(source, { recursive: true, force: true })
  await runTool('git', ['clone', '--quiet', '--no-checkout', bundle.bundlePath, source], log)
  await runTool('git', ['-C', source, 'checkout', '--quiet', 'HEAD', '--', 'ggml/include', 'ggml/CMakeLists.txt'], log)
  const text = readFileSync(join(source, 'ggml', 'CMakeLists.txt'), 'utf8')
  const part = (name: string) => new RegExp(`GGML_VERSION_${name}\\s+(\\d+)`).exec(text)?.[1] ?? '?'
  rmSync(join(source, '.git'), { recursive: true, force: true })
  return { folder: join(source, 'ggml', 'include'), version: [part('MAJOR'), part('MINOR'), part('PATCH')].join('.') }
}

/** Runs one tool to its end; its absence or failure becomes `trainer-missing` with its last output as detail. */
function runTool(command: string, args: string[], log: (line: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: dirname(process.execPath), stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const keep = (text: string) => {
      output = (output + text).slice(-8000)
      for (const line of text.split('\n')) if (line.trim()) log(line)
    }
    child.stdout.setEncoding('utf8').on('data', keep)
    child.stderr.setEncoding('utf8').on('data', keep)
    child.once('error', () =>
      reject(missing(`The trainer must be built once, and "${command}" is not installed.`, installRemedy)),
    )
    child.once('close', (code) => {
      if (code === 0) resolve()
      else reject(missing(`Building the trainer failed in "${command}" (status ${code}).`, installRemedy, output))
    })
  })
}

const installRemedy =
  process.platform === 'darwin'
    ? 'Install the command line tools with "xcode-select --install" and cmake, then start Labdesk again.'
    : 'Install a C++17 compiler, cmake and git (Debian, Ubuntu: "sudo apt install g++ cmake git"), then start Labdesk again.'
