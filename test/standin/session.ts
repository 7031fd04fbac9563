// The default session: permissions, request filtering and schemes. One session only; partitions throw.
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KnownEmitter, onlyKnown, unknownPart } from './known.ts'
import { protocol } from './scheme-server.ts'

type Permission = (
  ...asked: [contents: object, permission: string, answer: (granted: boolean) => void, details: object]
) => void
type BeforeRequest = (
  details: RequestDetails,
  answer: (response: { cancel?: boolean; redirectURL?: string }) => void,
) => void

/** What a request filter is told. */
export interface RequestDetails {
  id: number
  url: string
  method: string
  resourceType: string
  webContentsId: number
  timestamp: number
}

let beforeRequest: { listener: BeforeRequest; patterns: RegExp[] } | undefined
let permissionHandler: Permission | undefined

// Electron's names on the left, Chromium's on the right.
const permissions: Record<string, string> = {
  'clipboard-read': 'clipboard-read',
  geolocation: 'geolocation',
  'idle-detection': 'idle-detection',
  media: 'camera',
  midi: 'midi',
  notifications: 'notifications',
}

/** Asks the app's filter about a request; no filter lets everything pass. */
export async function filterRequest(details: RequestDetails): Promise<{ cancel?: boolean; redirectURL?: string }> {
  if (!beforeRequest?.patterns.some((pattern) => pattern.test(details.url))) return {}
  const { listener } = beforeRequest
  return new Promise((resolve) => listener(details, resolve))
}

/** The handler's answer for every permission. Chromium cannot ask at the time of use, so it is asked once a page load. */
export async function askPermissions(contents: object, url: string): Promise<{ name: string; granted: boolean }[]> {
  const handler = permissionHandler
  const asked = Object.entries(permissions).map(async ([electronName, name]) => {
    const ask = new Promise<boolean>((resolve) => handler?.(contents, electronName, resolve, { requestingUrl: url }))
    return { name, granted: handler ? await ask : true }
  })
  return Promise.all(asked)
}

const webRequest = onlyKnown('session.webRequest', {
  onBeforeRequest(first: { urls: string[] } | BeforeRequest | null, second?: BeforeRequest | null): void {
    const listener = typeof first === 'function' ? first : second
    const urls = first !== null && typeof first === 'object' ? first.urls : ['<all_urls>']
    beforeRequest = listener ? { listener, patterns: urls.map(matchPattern) } : undefined
  },
})

/** `*://*.example.org/*` and `<all_urls>` as a regular expression. */
function matchPattern(pattern: string): RegExp {
  if (pattern === '<all_urls>') return /^/
  return new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`)
}

class Session extends KnownEmitter {
  readonly protocol = onlyKnown('protocol', protocol)
  readonly webRequest = webRequest

  constructor() {
    super('session', [])
  }

  setPermissionRequestHandler(handler: Permission | null): void {
    permissionHandler = handler ?? undefined
  }

  /** Chromium's own check follows the answers of the request handler; only a refusal of everything means the same here. */
  setPermissionCheckHandler(handler: ((contents: null, permission: string) => boolean) | null): void {
    if (handler && Object.keys(permissions).some((name) => handler(null, name)))
      throw unknownPart('session.setPermissionCheckHandler that grants something')
  }

  setSpellCheckerEnabled(): void {}
}

const defaultSession = new Session()

export const session = onlyKnown('session', {
  defaultSession,
  fromPartition(name: string): never {
    throw unknownPart(`session.fromPartition('${name}')`)
  },
})

const contentTypes: Record<string, string> = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.mjs': 'text/javascript',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
}

/** net.fetch reads files too, which Node's fetch does not. */
export const net = onlyKnown('net', {
  async fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const address = input instanceof Request ? input.url : String(input)
    if (!address.startsWith('file:')) return fetch(input, init)
    const file = fileURLToPath(address)
    const type = contentTypes[extname(file)] ?? 'application/octet-stream'
    try {
      return new Response(await readFile(file), { headers: { 'content-type': type } })
    } catch (error) {
      throw new Error('net::ERR_FILE_NOT_FOUND', { cause: error })
    }
  },
  isOnline: (): boolean => false,
})
