// labdesk.yaml beside a qna.yaml: what Labdesk knows of a leaf that InstructLab's form has no place for (persona, language, answer format,
// earlier turns of seeds). Reading never fails: what cannot be read is left out and said.

import { stringify } from 'yaml'
import {
  type AnswerFormat,
  answerFormats,
  type Exchange,
  type Persona,
  type QnaProblem,
  type SeedDraft,
} from '../contract/taxonomy.ts'
import { type QnaNode, readTree } from './qna-tree.ts'

/** What of a leaf is written here. */
export interface SidecarLeaf {
  persona: Persona
  language: string
  answerFormat?: AnswerFormat | undefined
  seeds: readonly SeedDraft[]
}

export const sidecarName = 'labdesk.yaml'
const sidecarVersion = 1
const maxTurns = 20

export interface Sidecar {
  persona?: Persona
  language?: string
  answerFormat?: AnswerFormat
  conversations: Conversation[]
}
/** A seed with what was said before it. */
type Conversation = Pick<SeedDraft, 'question' | 'context'> & { turns: Exchange[] }

export function hasTurns<Seed extends SeedDraft>(seed: Seed): seed is Seed & Conversation {
  return (seed.turns?.length ?? 0) > 0
}

/** The text of the file. */
export function writeSidecar({ persona, language, answerFormat, seeds }: SidecarLeaf): string {
  const conversations = seeds
    .filter(hasTurns)
    .map(({ question, context, turns }) => ({ question, ...(context !== undefined && { context }), turns }))
  const head = '# What Labdesk adds to the qna.yaml beside this file; InstructLab does not read it.\n'
  const tree = {
    version: sidecarVersion,
    persona,
    language,
    answer_format: answerFormat ?? 'text',
    ...(conversations.length > 0 && { conversations }),
  }
  return head + stringify(tree, { version: '1.1', lineWidth: 100, aliasDuplicateObjects: false })
}

/** What the file says, and what of it could not be used. */
export function readSidecar(text: string): { sidecar: Sidecar; problems: QnaProblem[] } {
  const reader = new SidecarReader()
  const { root, problems } = readTree(text)
  for (const { line, message, remedy } of problems) reader.warn({ line, column: 1 }, message, remedy)
  const sidecar = root ? reader.read(root) : { conversations: [] }
  return { sidecar, problems: reader.problems }
}

/** Seeds with the earlier turns the file has for them; a conversation whose seed is gone is left out. */
export function addTurns(seeds: readonly SeedDraft[], { conversations }: Pick<Sidecar, 'conversations'>): SeedDraft[] {
  const left = [...conversations]
  const bare = new Set(seeds.filter(({ context }) => context === undefined).map(({ question }) => question))
  const take = (isOf: (one: Conversation) => boolean) => {
    const at = left.findIndex(isOf)
    return at === -1 ? undefined : left.splice(at, 1)[0]
  }
  return seeds.map((seed) => {
    const found =
      take(({ question, context }) => question === seed.question && context === seed.context) ??
      // A context that the seed was given since does not make it another conversation.
      take(({ question, context }) => question === seed.question && context === undefined && !bare.has(question))
    return found ? { ...seed, turns: found.turns } : seed
  })
}

type Spot = Pick<QnaNode, 'line' | 'column'>

class SidecarReader {
  readonly problems: QnaProblem[] = []

  warn({ line, column }: Spot, message: string, remedy: string): void {
    this.problems.push({ severity: 'warning', line, column, field: sidecarName, message, remedy })
  }

  read(root: QnaNode): Sidecar {
    const values = this.#map(root)
    const version = values['version']
    if (version && scalarOf(version) !== sidecarVersion)
      this.warn(version, 'This file is of another version.', 'Update Labdesk if not everything is taken.')
    const persona = this.#choice(values['persona'], ['precise', 'creative'] as const)
    const answerFormat = this.#choice(values['answer_format'], answerFormats)
    const language = values['language'] && this.#text(values['language'])
    const conversations = this.#list(values['conversations']).flatMap((node) => this.#conversation(node) ?? [])
    return {
      ...(persona && { persona }),
      ...(answerFormat && { answerFormat }),
      ...(language && language.length <= 20 && { language }),
      conversations,
    }
  }

  #conversation(node: QnaNode): Conversation | null {
    const { question, context, turns } = this.#map(node)
    const exchanges = this.#list(turns)
      .slice(0, maxTurns)
      .map((turn) => this.#map(turn))
      .map((turn) => ({ question: this.#text(turn['question'] ?? node), answer: this.#text(turn['answer'] ?? node) }))
    const asked = this.#text(question ?? node)
    if (asked === '' || exchanges.length === 0 || exchanges.some((turn) => turn.question === '' || turn.answer === ''))
      return null
    return { question: asked, ...(context && { context: this.#text(context) }), turns: exchanges }
  }

  #map(node: QnaNode): Record<string, QnaNode> {
    if (node.kind === 'map') return Object.fromEntries(node.entries.map(({ key, value }) => [key, value]))
    this.warn(node, 'Here should be "key: value" lines.', 'Export the leaf again with its extensions.')
    return {}
  }

  #list(node: QnaNode | undefined): readonly QnaNode[] {
    if (!node) return []
    if (node.kind === 'list') return node.nodes
    this.warn(node, 'Here should be a list.', 'Begin each part with "- ".')
    return []
  }

  #text(node: QnaNode): string {
    const value = scalarOf(node)
    if (typeof value === 'string' && value.trim() !== '') return value
    this.warn(node, 'A text is missing here.', 'Write it in quotes.')
    return ''
  }

  #choice<Choice extends string>(node: QnaNode | undefined, choices: readonly Choice[]): Choice | undefined {
    if (!node) return undefined
    const found = choices.find((choice) => choice === scalarOf(node))
    if (!found) this.warn(node, 'This value is not known.', `Write one of ${choices.join(', ')}.`)
    return found
  }
}

function scalarOf(node: QnaNode): unknown {
  return node.kind === 'scalar' ? node.value : undefined
}
