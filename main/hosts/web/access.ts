// Who may talk to the web host: whoever opened the one-time link, from a page of this very origin. Everything else that runs on this
// machine, other users' processes and other web pages among them, is refused.

import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** Sessions that may be open at once; the oldest gives way. */
const maxSessions = 16

export class Access {
  readonly #port: number
  #tokens = new Set<string>()
  #sessions: string[] = []

  constructor(port: number) {
    this.#port = port
  }

  /** A link that opens one session, once. */
  newLink(): string {
    const token = randomBytes(32).toString('base64url')
    this.#tokens = new Set([token])
    return `${this.origin}/?token=${token}`
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Only these names reach this host by intent; any other Host header is a page that had its name point here. */
  isHostOurs(request: IncomingMessage): boolean {
    const { host } = request.headers
    return host === `127.0.0.1:${this.#port}` || host === `localhost:${this.#port}`
  }

  /** Sent by browsers with every WebSocket: the page that opens it must be ours. */
  isOriginOurs(request: IncomingMessage): boolean {
    return request.headers.origin === `http://${request.headers.host ?? ''}`
  }

  /** Spends a token for a session's cookie; null when the token is wrong or was used. */
  redeem(token: string): string | null {
    const found = [...this.#tokens].find((known) => isEqual(known, token))
    if (found === undefined) return null
    this.#tokens.delete(found)
    const session = randomBytes(32).toString('base64url')
    this.#sessions = [...this.#sessions, session].slice(-maxSessions)
    return `${this.#cookieName}=${session}; HttpOnly; SameSite=Strict; Path=/`
  }

  hasSession(request: IncomingMessage): boolean {
    const cookies = (request.headers.cookie ?? '').split(';').map((part) => part.trim())
    const prefix = `${this.#cookieName}=`
    const given = cookies.filter((cookie) => cookie.startsWith(prefix)).map((cookie) => cookie.slice(prefix.length))
    return given.some((value) => this.#sessions.some((session) => isEqual(session, value)))
  }

  /** Cookies do not tell ports apart, so the name does. */
  get #cookieName(): string {
    return `labdesk_${this.#port}`
  }
}

/** Compares without telling by the time it takes how much was right. */
function isEqual(known: string, given: string): boolean {
  const [a, b] = [Buffer.from(known), Buffer.from(given)]
  return a.length === b.length && timingSafeEqual(a, b)
}
