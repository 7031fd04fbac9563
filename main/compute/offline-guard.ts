// Keeps this process offline: importing it refuses every connection, datagram and name look-up that would leave the machine, and
// remembers each. Loopback and local sockets pass, and at most one host and port that the user named. Import it before anything that could
// connect; it guards what Node's own modules do.

import dgram from 'node:dgram'
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'

/** One attempt that was refused. */
export interface BlockedAttempt {
  atMs: number
  url: string
}

/** Attempts kept in full; the count goes on. */
const keptAttempts = 200
const attempts: BlockedAttempt[] = []
const listeners = new Set<(attempt: BlockedAttempt) => void>()
let count = 0

/** What was refused here, and what was reported from elsewhere, since the start. */
export function blockedAttempts(): { count: number; attempts: BlockedAttempt[] } {
  return { count, attempts: [...attempts] }
}

/** The one place outside that the user allowed. */
export interface AllowedHost {
  host: string
  port: number
}
let allowed: AllowedHost | null = null
let allowedCount = 0

/** Allows connections to this host and port and to no other; null allows none. */
export function allowHost(place: AllowedHost | null): void {
  allowed = place && { host: bareName(place.host), port: place.port }
}

/** What is allowed now, and how often it was connected to since the start. */
export function allowedConnections(): { allowed: AllowedHost | null; count: number } {
  return { allowed, count: allowedCount }
}

/** Adds an attempt that was refused in this process, or in another one that reports here. */
export function noteBlocked(attempt: BlockedAttempt): void {
  count += 1
  if (attempts.length < keptAttempts) attempts.push(attempt)
  for (const listener of listeners) listener(attempt)
}

/** Calls the listener for each refused attempt. */
export function onBlocked(listener: (attempt: BlockedAttempt) => void): void {
  listeners.add(listener)
}

/** Whether an address or name stays on this machine. */
export function isLocal(host: string): boolean {
  const bare = bareName(host)
  if (bare === '' || bare === 'localhost' || bare.endsWith('.localhost') || bare === '::1') return true
  return net.isIP(bare.replace(/^::ffff:/, '')) === 4 && bare.replace(/^::ffff:/, '').startsWith('127.')
}

/** Whether an address belongs to this machine or to a private network: RFC 1918, 4193, 3927, 6598 and their like. */
export function isPrivateAddress(address: string): boolean {
  const bare = bareName(address)
  if (isLocal(bare)) return true
  const mapped = bare.replace(/^::ffff:/, '')
  if (net.isIP(mapped) === 4) return privateRanges.check(mapped, 'ipv4')
  return net.isIP(bare) === 6 && privateRanges.check(bare, 'ipv6')
}

const privateRanges = new net.BlockList()
for (const [network, bits] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  ['100.64.0.0', 10],
] as const)
  privateRanges.addSubnet(network, bits, 'ipv4')
privateRanges.addSubnet('fc00::', 7, 'ipv6')
privateRanges.addSubnet('fe80::', 10, 'ipv6')

function bareName(host: string): string {
  return host.toLowerCase().replace(/^\[|\]$/g, '')
}

function isAllowed({ host, port }: { host: string; port: string }): boolean {
  if (!allowed || bareName(host) !== allowed.host || Number(port) !== allowed.port) return false
  allowedCount += 1
  return true
}

function refuse(url: string): Error {
  noteBlocked({ atMs: Date.now(), url })
  return Object.assign(new Error(`Labdesk is offline: ${url} was refused.`), { code: 'ENETUNREACH' })
}

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown

/** Replaces `owner[name]` by a function that calls `guard` first and the original only when that returns no error. */
function replace(
  owner: object,
  name: string,
  guard: (args: unknown[], self: unknown) => { instead: unknown } | null,
): void {
  const functions = owner as Record<string, AnyFunction>
  const original = functions[name]
  if (typeof original !== 'function') return
  functions[name] = function guarded(...args) {
    const refused = guard(args, this)
    return refused ? refused.instead : original.apply(this, args)
  }
}

function guardSockets(): void {
  replace(net.Socket.prototype, 'connect', (args, self) => {
    const target = connectTarget(args)
    if (target === null || isAllowed(target) || isLocal(target.host)) return null
    const socket = self as net.Socket
    const error = refuse(`tcp://${target.host}:${target.port}`)
    // A tick later: tls.connect still sets up the socket it believes is connecting.
    process.nextTick(() => socket.destroy(error))
    return { instead: socket }
  })
}

/** Where `socket.connect(...)` goes; null for a local socket or pipe. */
function connectTarget(args: unknown[]): { host: string; port: string } | null {
  // net.connect() passes its arguments on as one array it has already sorted.
  const [first, second] = Array.isArray(args[0]) ? (args[0] as unknown[]) : args
  if (typeof first === 'object' && first !== null) {
    const { path, host, port } = first as { path?: unknown; host?: unknown; port?: unknown }
    return path ? null : { host: String(host ?? 'localhost'), port: String(port) }
  }
  if (typeof first === 'string' && Number.isNaN(Number(first))) return null
  return { host: typeof second === 'string' ? second : 'localhost', port: String(first) }
}

function guardDatagrams(): void {
  for (const name of ['send', 'connect'])
    replace(dgram.Socket.prototype, name, (args, self) => {
      const address = args.slice(1).findLast((arg) => typeof arg === 'string') ?? 'localhost'
      if (isLocal(String(address))) return null
      const error = refuse(`udp://${String(address)}`)
      const callback = args.findLast((arg) => typeof arg === 'function') as ((error: Error) => void) | undefined
      if (callback) process.nextTick(callback, error)
      else process.nextTick(() => (self as dgram.Socket).emit('error', error))
      return { instead: undefined }
    })
}

function guardNames(): void {
  const names = Object.keys(dns).filter((name) => /^(lookup|resolve|reverse)/.test(name))
  for (const name of names) {
    replace(dns, name, (args) => refuseName(args, (error) => ({ instead: callLater(args, error) })))
    replace(dns.promises, name, (args) => refuseName(args, (error) => ({ instead: Promise.reject(error) })))
    replace(dns.Resolver.prototype, name, (args) => refuseName(args, (error) => ({ instead: callLater(args, error) })))
    replace(dns.promises.Resolver.prototype, name, (args) =>
      refuseName(args, (error) => ({ instead: Promise.reject(error) })),
    )
  }
}

function refuseName(args: unknown[], answer: (error: Error) => { instead: unknown }): { instead: unknown } | null {
  const name = String(args[0] ?? '')
  // An address needs no look-up, and connecting to it is guarded above.
  if (isLocal(name) || net.isIP(name) !== 0 || bareName(name) === allowed?.host) return null
  return answer(refuse(`dns://${name}`))
}

function callLater(args: unknown[], error: Error): undefined {
  const callback = args.findLast((arg) => typeof arg === 'function') as ((error: Error) => void) | undefined
  if (callback) process.nextTick(callback, error)
  return undefined
}

guardSockets()
guardDatagrams()
guardNames()
syncBuiltinESMExports()
