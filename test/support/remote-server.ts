// A small OpenAI-compatible server on loopback: answers as llama-server, as vLLM or as neither, and fails where a test wants it to.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface AskedChat {
  path: string
  body: Record<string, unknown>
  authorization: string | undefined
}
export interface RemoteServer {
  url: string
  asked: AskedChat[]
  /** Statuses for the next chats, before they are answered. */
  failures: number[]
  close(): Promise<void>
}
export interface RemoteServerOptions {
  kind: 'llama-server' | 'vllm' | 'other'
  answer?: (body: Record<string, unknown>) => string
  apiKey?: string
  delayMs?: number
}

export async function startRemoteServer(options: RemoteServerOptions): Promise<RemoteServer> {
  const asked: AskedChat[] = []
  const failures: number[] = []
  const server = createServer((request, response) => void reply(request, response))
  async function reply(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const piece of request) text += String(piece)
    const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>
    const path = request.url ?? ''
    const send = (status: number, value: unknown) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    const { authorization } = request.headers
    if (options.apiKey && authorization !== `Bearer ${options.apiKey}`) return send(401, { error: 'no key' })
    const facts = factsOf(options.kind)[path]
    if (facts) return send(200, facts)
    if (path === '/tokenize' && options.kind !== 'other')
      return send(200, { tokens: [...String(body.content ?? body.prompt)].map((_, at) => at) })
    if (path !== '/v1/chat/completions') return send(404, { error: 'no such path' })
    asked.push({ path, body, authorization })
    const failure = failures.shift()
    if (failure !== undefined) return send(failure, { error: 'as the test wants it' })
    if (options.delayMs) await new Promise((resolve) => setTimeout(resolve, options.delayMs))
    const content = options.answer?.(body) ?? textOfForm(String(body.grammar ?? ''), asked.length)
    send(200, {
      choices: [{ message: { content }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 100, completion_tokens: 7, prompt_tokens_details: { cached_tokens: 60 } },
    })
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    failures,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function factsOf(kind: RemoteServerOptions['kind']): Record<string, unknown> {
  const models = { data: [{ id: 'big-model', ...(kind === 'vllm' ? { max_model_len: 4096 } : {}) }] }
  return {
    '/v1/models': models,
    ...(kind === 'llama-server' ? { '/props': { default_generation_settings: { n_ctx: 2048 } } } : {}),
    ...(kind === 'vllm' ? { '/version': { version: '0.12.0' } } : {}),
  }
}

/** A text of a stage's form, read off its grammar's first line. */
function textOfForm(grammar: string, number: number): string {
  const words = ['amber', 'birch', 'cedar', 'dune', 'elm', 'fern', 'gale', 'heath']
  const line = words.map((word, at) => `${word}${number ** 2 * (at + 3)}`).join(' ')
  const fields: Record<string, string> = { line, text: line, 'yes-no': 'YES', grade: '3', letter: 'A' }
  const parts =
    grammar
      .split('\n')[0]
      ?.replace('root ::= ', '')
      .match(/"(?:[^"\\]|\\.)*"|[\w-]+/g) ?? []
  return parts.map((part) => (part.startsWith('"') ? (JSON.parse(part) as string) : (fields[part] ?? ''))).join('')
}
