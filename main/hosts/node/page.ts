// What every host that shows the window serves: the built renderer's files and nothing beside them, under one strict policy.

import { realpathSync, statSync } from 'node:fs'
import { extname, join, resolve, sep } from 'node:path'

const contentTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
}

/** A file of the renderer. */
export interface PageFile {
  path: string
  contentType: string
}

/** The file a URL's path names; null for anything that is not a file inside the renderer's folder. */
export function findPageFile(rendererDir: string, pathname: string): PageFile | null {
  let name: string
  try {
    name = decodeURIComponent(pathname)
  } catch {
    return null // not a path that any file can have
  }
  if (name.includes('\0') || name.includes('\\')) return null
  const path = resolve(join(rendererDir, name === '/' ? 'index.html' : name))
  const contentType = contentTypes[extname(path)]
  if (!contentType || !isFile(path)) return null
  // Links count as what they point to.
  return realpathSync(path).startsWith(realpathSync(rendererDir) + sep) ? { path, contentType } : null
}

/** False also for a name that no file can have, such as one that is too long. */
function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** Headers of every answer. `connect` names what the page may talk to besides its own origin. */
export function pageHeaders(connect = ''): Record<string, string> {
  return {
    'content-security-policy': [
      "default-src 'none'",
      "script-src 'self'",
      // The component library writes its variables into style elements.
      "style-src 'self' 'unsafe-inline'",
      "img-src 'self' data: blob:",
      "font-src 'self' data:",
      `connect-src 'self' ${connect}`.trim(),
      "worker-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), microphone=(), geolocation=(), usb=(), clipboard-read=()',
    'cache-control': 'no-store',
  }
}
