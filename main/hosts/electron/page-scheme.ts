// The window's world: `app://labdesk/` with the renderer's files and nothing else. Every request elsewhere is refused and reported,
// every permission but copying to the clipboard denied.

import { readFile } from 'node:fs/promises'
import { protocol, session, type WebContents } from 'electron'
import type { BlockedAttempt } from '../../compute/offline-guard.ts'
import { findPageFile, pageHeaders } from '../node/page.ts'

const scheme = 'app'
const host = 'labdesk'
export const pageOrigin = `${scheme}://${host}`
/** What a page may do beyond showing itself. */
const grantedPermissions = ['clipboard-sanitized-write']

/** Before the app is ready: makes the scheme a secure origin of its own. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme, privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ])
}

/** Serves the renderer and locks the session down; `onBlocked` hears of every refused request. */
export function lockSession(rendererDir: string, onBlocked: (attempt: BlockedAttempt) => void): void {
  protocol.handle(scheme, async ({ url, method }) => {
    const { host: asked, pathname } = new URL(url)
    const file = asked === host && method === 'GET' ? findPageFile(rendererDir, pathname) : null
    if (!file) return new Response('There is nothing here.', { status: 404, headers: pageHeaders() })
    return new Response(await readFile(file.path), { headers: { ...pageHeaders(), 'content-type': file.contentType } })
  })
  const { defaultSession } = session
  defaultSession.webRequest.onBeforeRequest(({ url }, answer) => {
    const isOurs = isOwnUrl(url)
    if (!isOurs) onBlocked({ atMs: Date.now(), url })
    answer({ cancel: !isOurs })
  })
  defaultSession.setPermissionRequestHandler((_contents, permission, answer) =>
    answer(grantedPermissions.includes(permission)),
  )
  defaultSession.setPermissionCheckHandler((_contents, permission) => grantedPermissions.includes(permission))
  // Its dictionaries would be downloaded.
  defaultSession.setSpellCheckerEnabled(false)
}

/** Keeps a page where it is: it goes nowhere else and opens nothing. */
export function pinContents(contents: WebContents): void {
  contents.setWindowOpenHandler(() => ({ action: 'deny' }))
  contents.on('will-navigate', (event) => {
    if (!isOwnUrl(event.url)) event.preventDefault()
  })
  contents.on('will-attach-webview', (event) => event.preventDefault())
}

function isOwnUrl(url: string): boolean {
  return [`${pageOrigin}/`, `blob:${pageOrigin}/`, 'data:', 'devtools:'].some((start) => url.startsWith(start))
}
