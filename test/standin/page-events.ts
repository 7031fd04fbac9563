// What Chromium reports about a page, and the names Electron has for it.

/** A script world Chromium reports. */
export interface WorldContext {
  id: number
  name: string
  auxData?: { frameId?: string }
}

/** A frame that went somewhere. */
export interface NavigatedFrame {
  url: string
  parentId?: string
}

/** A request that waits for the app's word. */
export interface PausedRequest {
  requestId: string
  request: { url: string; method: string }
  resourceType: string
  frameId: string
}

/** Events of webContents. */
export const webContentsEvents = [
  'console-message',
  'destroyed',
  'did-fail-load',
  'did-finish-load',
  'did-navigate',
  'dom-ready',
  'page-title-updated',
  'preload-error',
  'render-process-gone',
  'standin-ready-to-show',
  'will-navigate',
  // Not sent here: the stand-in has no hang detection, embedded views, redirects of its own or native menus.
  'context-menu',
  'did-attach-webview',
  'responsive',
  'unresponsive',
  'will-attach-webview',
  'will-frame-navigate',
  'will-redirect',
]

/** Chromium's resource types as Electron names them. */
export const resourceTypes: Record<string, string> = {
  Document: 'subFrame',
  Stylesheet: 'stylesheet',
  Script: 'script',
  Image: 'image',
  Font: 'font',
  XHR: 'xhr',
  Fetch: 'xhr',
  Ping: 'ping',
  Media: 'media',
  WebSocket: 'webSocket',
}

/** What a page wrote to its console, as text. */
export function consoleMessage(params: Record<string, unknown>): { level: string; message: string } {
  const args = params['args'] as { value?: unknown; description?: string }[]
  return { level: String(params['type']), message: args.map((one) => one.value ?? one.description).join(' ') }
}
