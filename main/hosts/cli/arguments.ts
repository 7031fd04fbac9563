// From words on a command line to a method's input: flags and positions come from the method's own schema, so the two cannot differ.
// Values are only shaped here; whether they are right is for the engine to say.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { z } from 'zod'
import { api, type MethodName } from '../../contract/api.ts'
import { AppError } from '../../contract/errors.ts'

/** One field of a method's input. */
interface Field {
  name: string
  flag: string
  kind: 'text' | 'number' | 'boolean' | 'texts' | 'json'
  isRequired: boolean
  choices: string[]
  fallback: unknown
}
interface JsonSchema {
  type?: string
  properties?: Record<string, JsonSchema>
  required?: string[]
  enum?: string[]
  items?: JsonSchema
  default?: unknown
}

/** Fields that name files: taken relative to where the command was typed. */
const pathFields = ['path', 'paths', 'folder', 'documentsFolder']

export interface GlobalFlags {
  data?: string
  project?: string
  input?: string
  verbose: boolean
  help: boolean
}
const globalOptions: ParseArgsOptionsConfig = {
  data: { type: 'string' },
  project: { type: 'string' },
  input: { type: 'string' },
  verbose: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
}

/** A wrong command line; told with exit code 2. */
export function usageError(message: string, remedy = 'Ask for help with --help.'): AppError {
  return new AppError({ code: 'bad-input', message, remedy })
}

/** Splits a command line without a method: global flags and the plain words. */
export function parseWords(words: string[], extra: ParseArgsOptionsConfig = {}) {
  try {
    const { values, positionals } = parseArgs({
      args: words,
      options: { ...globalOptions, ...extra },
      allowPositionals: true,
      allowNegative: true,
    })
    return { flags: values as unknown as GlobalFlags & Record<string, unknown>, positionals }
  } catch (thrown) {
    throw usageError(thrown instanceof Error ? thrown.message : String(thrown))
  }
}

/** The input of `method` from its words. @throws AppError `bad-input` */
export function parseInput(
  method: MethodName,
  words: string[],
): { flags: GlobalFlags; input: Record<string, unknown> } {
  const fields = fieldsOf(method)
  const options = Object.fromEntries(
    fields.map(({ flag, kind }) => [
      flag,
      { type: kind === 'boolean' ? 'boolean' : 'string', multiple: kind === 'texts' } as const,
    ]),
  )
  const { flags, positionals } = parseWords(
    words.map((word) => fullFlag(word, options)),
    options,
  )
  const input: Record<string, unknown> = flags.input === undefined ? {} : readInput(flags.input)
  for (const field of fields) {
    const given = flags[field.flag]
    if (given !== undefined) input[field.name] = shape(field, given)
  }
  const open = fields.filter((field) => field.isRequired && input[field.name] === undefined)
  while (positionals.length > 0) {
    const field = open.shift()
    if (!field) throw usageError(`"${positionals[0]}" is one value too many.`)
    // A list takes all the words that are left.
    input[field.name] = field.kind === 'texts' ? positionals.splice(0) : shape(field, positionals.shift())
  }
  for (const name of pathFields) if (name in input && !isLeafPath(method, name)) input[name] = absolute(input[name])
  return { flags, input }
}

/** Shorter names of flags, where the method has no flag of that very name. */
const flagAliases: Record<string, string> = { documents: 'documents-folder' }

function fullFlag(word: string, options: ParseArgsOptionsConfig): string {
  const [, name = '', rest = ''] = /^--([a-z-]+)(.*)$/s.exec(word) ?? []
  const full = flagAliases[name]
  return full && !(name in options) && full in options ? `--${full}${rest}` : word
}

/** A leaf's path names no file. */
function isLeafPath(method: MethodName, field: string): boolean {
  return field === 'path' && method.startsWith('taxonomy.')
}

function absolute(given: unknown): unknown {
  if (Array.isArray(given)) return given.map(absolute)
  return typeof given === 'string' ? resolve(given) : given
}

/** Help for the flags of a method. */
export function describeFlags(method: MethodName): string {
  const fields = fieldsOf(method)
  const positions = fields.filter((field) => field.isRequired).map((field) => `<${field.flag}>`)
  const rows = fields.map((field) => [`--${field.flag}`, describe(field)] as const)
  const width = Math.max(0, ...rows.map(([flag]) => flag.length))
  const table = rows.map(([flag, text]) => `  ${flag.padEnd(width)}  ${text}`).join('\n')
  return `Usage: labdesk ${method.replace('.', ' ')} ${positions.join(' ')}\n${table}`
}

function describe(field: Field): string {
  const kinds = {
    text: 'text',
    number: 'number',
    boolean: 'yes or no (--no-...)',
    texts: 'text, may be repeated',
    json: 'JSON',
  }
  const kind = field.choices.length > 0 ? field.choices.join(' | ') : kinds[field.kind]
  const note = field.isRequired
    ? 'required'
    : field.fallback === undefined
      ? ''
      : `default ${JSON.stringify(field.fallback)}`
  return note ? `${kind} (${note})` : kind
}

function fieldsOf(method: MethodName): Field[] {
  const schema = z.toJSONSchema(api[method].input, { io: 'input' }) as JsonSchema
  return Object.entries(schema.properties ?? {}).map(([name, property]) => ({
    name,
    flag: name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
    kind: kindOf(property),
    isRequired: schema.required?.includes(name) ?? false,
    choices: property.enum ?? [],
    fallback: property.default,
  }))
}

function kindOf(property: JsonSchema): Field['kind'] {
  if (property.type === 'boolean') return 'boolean'
  if (property.type === 'number' || property.type === 'integer') return 'number'
  if (property.type === 'string') return 'text'
  if (property.type === 'array' && property.items?.type === 'string') return 'texts'
  return 'json'
}

function shape(field: Field, given: unknown): unknown {
  if (field.kind === 'number' && given !== '' && !Number.isNaN(Number(given))) return Number(given)
  if (field.kind === 'texts') return (given as string[]).flatMap((text) => text.split(','))
  if (field.kind === 'json') return parseJson(String(given), `--${field.flag}`)
  return given
}

function readInput(file: string): Record<string, unknown> {
  let text: string
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch {
    throw usageError(`The input file ${file} cannot be read.`, 'Check the path given with --input.')
  }
  const input = parseJson(text, '--input')
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input as Record<string, unknown>
  throw usageError('--input must be a JSON object.')
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch (thrown) {
    throw usageError(`${where} is not valid JSON: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
  }
}
