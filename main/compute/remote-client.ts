// JSON over HTTP to one server on the user's own network. Looks at every address before it connects: a name may only lead into the
// private network unless the user allowed more. Bounded in time and size; tries again with growing waits where that can help.

import { lookup as lookupName } from 'node:dns'
import http from 'node:http'
import https from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../contract/errors.ts'
import type { RemoteTeacher } from '../contract/workspace.ts'
import { isPrivateAddress } from './offline-guard.ts'

/** A server that says nothing for this long is given up; a long answer may take minutes before its first byte. */
const silentMs = 300_000
const connectMs = 10_000
const maxTries = 4
const firstWaitMs = 500
const maxAnswerBytes = 32 * 1024 * 1024
/** Worth another try: overloaded, restarting, or a broken connection. */
const passingStatuses = [408, 425, 429, 500, 502, 503, 504]

export interface RemoteCall {
  method?: 'GET' | 'POST'
  /** Below the server's root, such as `/v1/models`. */
  path: string
  body?: unknown
  signal?: AbortSignal
  /** Tries at most; a test of the settings makes one. */
  tries?: number
}

interface Answer {
  status: number
  text: string
}

/** A connection that failed in a way that may pass. */
class PassingFailure extends Error {}

export class RemoteClient {
  readonly #teacher: RemoteTeacher
  readonly #root: string
  readonly #firstWaitMs: number

  constructor(teacher: RemoteTeacher, options: { firstWaitMs?: number } = {}) {
    this.#teacher = teacher
    this.#root = rootOf(teacher.url)
    this.#firstWaitMs = options.firstWaitMs ?? firstWaitMs
  }

  /**
   * The parsed answer. Throws `worker-died` when the server cannot be reached, `unauthorised`, `not-found` for a path it does not have,
   * `bad-input` when it refuses the request, `cancelled`.
   */
  async call(call: RemoteCall): Promise<unknown> {
    const tries = call.tries ?? maxTries
    for (let attempt = 1; ; attempt++) {
      try {
        const { status, text } = await this.#send(call)
        if (status >= 200 && status < 300) return parse(text)
        if (!passingStatuses.includes(status)) throw refused(status, text)
        throw new PassingFailure(`status ${status}: ${text.slice(0, 400)}`)
      } catch (thrown) {
        if (call.signal?.aborted) throw cancelled()
        if (!(thrown instanceof PassingFailure)) throw thrown
        if (attempt >= tries) throw unreachable(this.#root, thrown.message)
      }
      await delay(this.#firstWaitMs * 2 ** (attempt - 1), undefined, { signal: call.signal }).catch(() => {
        throw cancelled()
      })
    }
  }

  #send({ method = 'POST', path, body, signal }: RemoteCall): Promise<Answer> {
    const url = new URL(`${this.#root}${path}`)
    const { request } = url.protocol === 'https:' ? https : http
    const { apiKey, isPublicAllowed } = this.#teacher
    return new Promise((resolve, reject) => {
      const fail = (error: Error) =>
        reject(error instanceof AppError ? error : new PassingFailure(error.message || String(error)))
      const sent = request(url, {
        method,
        signal,
        lookup: isPublicAllowed ? undefined : lookupPrivate,
        headers: {
          'content-type': 'application/json',
          ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}),
        },
      })
      const connecting = setTimeout(() => sent.destroy(new Error('no connection within ten seconds')), connectMs)
      sent.once('socket', (socket) => {
        if (socket.connecting) socket.once('connect', () => clearTimeout(connecting))
        else clearTimeout(connecting)
      })
      sent.once('close', () => clearTimeout(connecting))
      sent.setTimeout(silentMs, () => sent.destroy(new Error('no answer within five minutes')))
      sent.once('error', fail)
      sent.once('response', (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (piece: string) => {
          text += piece
          if (text.length > maxAnswerBytes) sent.destroy(tooLarge())
        })
        response.once('error', fail)
        response.once('end', () => resolve({ status: response.statusCode ?? 0, text }))
      })
      sent.end(body === undefined ? undefined : JSON.stringify(body))
    })
  }
}

/** The server's root: what stands before `/v1`. */
function rootOf(url: string): string {
  return url.replace(/\/+$/, '').replace(/\/v1$/, '')
}

/** Finds a name's addresses and keeps those of private networks. */
const lookupPrivate: LookupFunction = (name, options, done) => {
  lookupName(name, { ...options, all: true }, (error, found) => {
    if (error) return done(error, '', 4)
    const near = found.filter(({ address }) => isPrivateAddress(address))
    const [first] = near
    if (!first) return done(notPrivate(name), '', 4)
    if (options.all) done(null, near)
    else done(null, first.address, first.family)
  })
}

/** The host and port a teacher is at. Throws `bad-input` for an address that may not be used. */
export function hostOf({ url, isPublicAllowed }: RemoteTeacher): { host: string; port: number } {
  const parsed = URL.canParse(url) ? new URL(url) : null
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.username || parsed.search || parsed.hash)
    throw new AppError({
      code: 'bad-input',
      message: 'The address of the remote teacher is not one.',
      remedy: 'Write it like http://192.168.1.20:8000',
    })
  const host = parsed.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0 && !isPublicAllowed && !isPrivateAddress(host)) throw notPrivate(host)
  return { host, port: Number(parsed.port || (parsed.protocol === 'https:' ? 443 : 80)) }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new AppError({
      code: 'bad-input',
      message: 'The remote teacher answered something that is not JSON.',
      remedy: 'Check that its address is that of an OpenAI-compatible server.',
      detail: text.slice(0, 400),
    })
  }
}

function refused(status: number, text: string): AppError {
  const detail = `status ${status}: ${text.slice(0, 2000)}`
  if (status === 401 || status === 403)
    return new AppError({
      code: 'unauthorised',
      message: 'The remote teacher does not accept the key.',
      remedy: 'Correct the key in Settings, Remote teacher.',
      detail,
    })
  if (status === 404 || status === 405)
    return new AppError({
      code: 'not-found',
      message: 'The remote teacher does not have what was asked for.',
      remedy: 'Check its address and the name of its model in Settings, Remote teacher.',
      detail,
    })
  return new AppError({
    code: 'bad-input',
    message: 'The remote teacher refused the request.',
    remedy: 'See the details; often its context is too short or the name of its model is wrong.',
    detail,
  })
}

function unreachable(root: string, detail: string): AppError {
  return new AppError({
    code: 'worker-died',
    message: `The remote teacher at ${root} cannot be reached.`,
    remedy: 'Check that the server runs and that its address is right, then resume.',
    detail,
  })
}

function notPrivate(host: string): AppError {
  return new AppError({
    code: 'bad-input',
    message: `${host} is not an address of your own network.`,
    remedy: 'Use a server on your network, or confirm in Settings that your data may go to that address.',
  })
}

function tooLarge(): AppError {
  return new AppError({
    code: 'bad-input',
    message: 'The remote teacher answered more than 32 MB.',
    remedy: 'Check that its address is that of an OpenAI-compatible server.',
  })
}

function cancelled(): AppError {
  return new AppError({ code: 'cancelled', message: 'The request was called off.', remedy: 'Ask again.' })
}
