// What a qna.yaml of each version may and must hold (InstructLab's schema): checks a tree against it and takes the content out.
// Owns the rules and their words; positions come from the tree.

import type { Branch, DocumentSource, QnaProblem, QnaRepair, SeedDraft, Severity } from '../contract/taxonomy.ts'
import { leavesFolder } from './document-match.ts'
import { quote, removeEntry, removePart, rename, setVersion } from './qna-form-repair.ts'
import { checkLengths } from './qna-length.ts'
import type { Place, QnaEntry, QnaNode } from './qna-tree.ts'

/** What the file says, whatever its version. Texts are without the blank lines around them. */
export interface QnaContent {
  branch: Branch
  /** As written; 1 where absent. */
  version: number
  createdBy: string
  taskDescription: string
  domain: string
  documentOutline: string
  documentSource: DocumentSource | null
  /** Knowledge of versions 1 and 2 has no contexts. */
  seeds: readonly SeedDraft[]
}

export const newestVersion = 3
/** Fewer are allowed (the paper uses 1 to 3), InstructLab asks for this many. */
export const wantedSeeds = 5
export const wantedPairs = 3

type KeyName = 'created_by' | 'task_description' | 'domain' | 'document_outline' | 'document' | 'seed_examples'
interface Form {
  keys: readonly KeyName[]
  /** A seed is a pair with an optional context, a bare pair, or a context with its pairs. */
  seeds: 'pair-with-context' | 'pair' | 'context-with-pairs'
}
const skillForm: Form = { keys: ['created_by', 'task_description', 'seed_examples'], seeds: 'pair-with-context' }
const oldKnowledgeForm: Form = {
  keys: ['created_by', 'task_description', 'domain', 'document', 'seed_examples'],
  seeds: 'pair',
}
const knowledgeForm: Form = {
  keys: ['created_by', 'domain', 'document_outline', 'document', 'seed_examples'],
  seeds: 'context-with-pairs',
}

/** Checks the tree and takes out what it can; the content is whole only where no problem is an error. */
export function readForm(
  root: QnaNode,
  { branch, text }: { branch: Branch; text: string },
): { content: QnaContent; problems: QnaProblem[] } {
  const reader = new FormReader(branch, text)
  const content = reader.read(root)
  return { content, problems: reader.problems.sort((a, b) => a.line - b.line || a.column - b.column) }
}

interface Finding {
  at: Place
  field: string
  message: string
  remedy: string
  repair?: QnaRepair | undefined
}

class FormReader {
  readonly problems: QnaProblem[] = []
  readonly #branch: Branch
  readonly #source: string

  constructor(branch: Branch, source: string) {
    this.#branch = branch
    this.#source = source
  }

  read(root: QnaNode): QnaContent {
    const entries = this.#entries(root, '')
    const version = this.#version(root, find(entries, 'version'))
    const form = this.#branch !== 'knowledge' ? skillForm : version >= 3 ? knowledgeForm : oldKnowledgeForm
    this.#refuseUnknown(entries, ['version', ...form.keys], '')
    const text = (key: KeyName): string =>
      form.keys.includes(key) ? this.#text({ entries, key, owner: root, prefix: '' }) : ''
    const content: QnaContent = {
      branch: this.#branch,
      version,
      createdBy: text('created_by'),
      taskDescription: text('task_description'),
      domain: text('domain'),
      documentOutline: text('document_outline'),
      documentSource: form.keys.includes('document') ? this.#document(root, find(entries, 'document')) : null,
      seeds: this.#seeds(root, find(entries, 'seed_examples'), { ...form, version }),
    }
    return content
  }

  #report(severity: Severity, { at, repair, ...finding }: Finding): void {
    const problem = { severity, line: at.line, column: at.column, ...finding }
    this.problems.push(repair ? { ...problem, repair } : problem)
  }

  #version(root: QnaNode, entry: QnaEntry | undefined): number {
    const isKnowledge = this.#branch === 'knowledge'
    if (!entry) {
      if (isKnowledge) {
        this.#report('error', {
          at: root,
          field: 'version',
          message: 'The version is missing.',
          remedy: `Add the line "version: ${newestVersion}" at the top.`,
          repair: setVersion(root, undefined, newestVersion),
        })
      }
      return isKnowledge ? newestVersion : 1
    }
    const { value } = entry
    const version = value.kind === 'scalar' ? value.value : null
    if (typeof version === 'number' && Number.isInteger(version) && version >= 1 && version <= newestVersion)
      return version
    const isNewer = typeof version === 'number' && version > newestVersion
    const meant = typeof version === 'string' && /^[1-3]$/.test(version) ? Number(version) : null
    this.#report('error', {
      at: value,
      field: 'version',
      message: isNewer
        ? `Version ${version} is newer than this program knows (${newestVersion}).`
        : 'The version is not a whole number from 1 to 3.',
      remedy: `Write "version: ${newestVersion}", without quotes.`,
      repair: meant === null ? undefined : setVersion(root, entry, meant),
    })
    return newestVersion
  }

  #document(root: QnaNode, entry: QnaEntry | undefined): DocumentSource | null {
    if (!entry) {
      this.#missing(root, 'document', 'Add "document:" with repo, commit and patterns, so that others find the source.')
      return null
    }
    const entries = this.#entries(entry.value, 'document')
    if (entry.value.kind !== 'map') return null
    this.#refuseUnknown(entries, ['repo', 'commit', 'patterns'], 'document.')
    const owner = entry.value
    const repo = this.#text({ entries, key: 'repo', owner, prefix: 'document.' })
    const commit = this.#text({ entries, key: 'commit', owner, prefix: 'document.' })
    const patterns = find(entries, 'patterns')
    if (!patterns)
      this.#missing(
        owner,
        'document.patterns',
        'Add "patterns:" with at least one file name, for example "- notes.md".',
      )
    const nodes = patterns ? this.#list(patterns.value, 'document.patterns') : []
    return { repo, commit, patterns: nodes.map((node, at) => this.#pattern(node, at)).filter(Boolean) }
  }

  #pattern(node: QnaNode, at: number): string {
    const field = `document.patterns[${at}]`
    const pattern = this.#textOf(node, field)
    if (leavesFolder(pattern)) {
      const message = `The pattern "${pattern}" leads out of the repository, so it is not followed.`
      const remedy = 'Name files within the repository, for example "docs/*.md".'
      this.#report('warning', { at: node, field, message, remedy })
    }
    return pattern
  }

  #seeds(root: QnaNode, entry: QnaEntry | undefined, form: Form & { version: number }): SeedDraft[] {
    if (!entry) {
      this.#missing(root, 'seed_examples', 'Add "seed_examples:" with at least one question and answer.')
      return []
    }
    const mayBeEmpty = this.#branch === 'foundational_skills'
    const nodes = this.#list(entry.value, 'seed_examples', mayBeEmpty)
    const seeds = nodes.map((node, at) => this.#seed(node, `seed_examples[${at}]`, form))
    // Version 1 of a skill does not ask for different seeds.
    const severity = form.version === 1 && this.#branch !== 'knowledge' ? 'warning' : 'error'
    this.#findRepeats(seeds, { nodes, field: 'seed_examples', severity })
    if (nodes.length < wantedSeeds) {
      this.#report('hint', {
        at: entry,
        field: 'seed_examples',
        message: `There are ${nodes.length} seeds; InstructLab asks for ${wantedSeeds} or more.`,
        remedy: 'Add seeds that differ from these in what they ask, if you want to share the leaf.',
      })
    }
    if (form.seeds === 'pair-with-context') this.#refuseMixture(nodes, seeds)
    const flat = [...new Map(seeds.flat().map((seed) => [JSON.stringify(seed), seed])).values()]
    for (const finding of checkLengths(flat)) {
      this.#report('warning', { ...finding, at: entry, field: 'seed_examples' })
    }
    return flat
  }

  /** One seed, or several where pairs share a context. */
  #seed(node: QnaNode, field: string, form: Form): SeedDraft[] {
    const entries = this.#entries(node, field)
    if (node.kind !== 'map') return []
    if (form.seeds !== 'context-with-pairs') {
      const known = form.seeds === 'pair' ? ['question', 'answer'] : ['question', 'answer', 'context']
      this.#refuseUnknown(entries, known, `${field}.`)
      const pair = this.#pair(node, entries, field)
      const context = find(entries, 'context')
      if (!context || form.seeds === 'pair') return [pair]
      const repair = removeEntry(this.#source, entries, { entry: context, kind: 'empty-field' })
      return [{ context: this.#textOf(context.value, `${field}.context`, repair), ...pair }]
    }
    this.#refuseUnknown(entries, ['context', 'questions_and_answers'], `${field}.`)
    const context = this.#text({ entries, key: 'context', owner: node, prefix: `${field}.` })
    const pairs = find(entries, 'questions_and_answers')
    const pairsField = `${field}.questions_and_answers`
    if (!pairs) {
      this.#missing(node, pairsField, `Add "questions_and_answers:" with ${wantedPairs} pairs about this context.`)
      return []
    }
    const nodes = this.#list(pairs.value, pairsField)
    // Unknown keys beside question and answer are allowed here, as in InstructLab's schema.
    const read = nodes.map((pair, at) =>
      this.#pair(pair, this.#entries(pair, `${pairsField}[${at}]`), `${pairsField}[${at}]`),
    )
    this.#findRepeats(read, { nodes, field: pairsField, severity: 'error' })
    if (nodes.length > 0 && nodes.length < wantedPairs) {
      this.#report('warning', {
        at: pairs,
        field: pairsField,
        message: `There are ${nodes.length} pairs; InstructLab asks for ${wantedPairs} a context.`,
        remedy: `Add ${wantedPairs - nodes.length} more about this context.`,
      })
    }
    if (context !== '' && sameWords(context) === sameWords(read.map(({ answer }) => answer).join(' '))) {
      this.#report('warning', {
        at: find(entries, 'context') ?? node,
        field: `${field}.context`,
        message: 'The context only repeats the answers, so nothing shows where they come from.',
        remedy: 'Put the passage of the document here that the questions are about.',
      })
    }
    return read.map((pair) => ({ context, ...pair }))
  }

  #pair(node: QnaNode, entries: readonly QnaEntry[], field: string): SeedDraft {
    if (node.kind !== 'map') return { question: '', answer: '' }
    const read = (key: 'question' | 'answer') => this.#text({ entries, key, owner: node, prefix: `${field}.` })
    return { question: read('question'), answer: read('answer') }
  }

  #refuseMixture(nodes: readonly QnaNode[], seeds: readonly SeedDraft[][]): void {
    const isGrounded = seeds.map(([seed]) => seed?.context !== undefined)
    const odd = isGrounded.findIndex((grounded) => grounded !== isGrounded[0])
    if (odd === -1) return
    this.#report('error', {
      at: nodes[odd] as QnaNode,
      field: `seed_examples[${odd}]`,
      message: 'Some seeds of this leaf have a context and some have none.',
      remedy: 'Give every seed a context or none, or make two leaves of them.',
    })
  }

  #findRepeats(parts: readonly unknown[], of: { nodes: readonly QnaNode[]; field: string; severity: Severity }): void {
    const seen = new Set<string>()
    parts.forEach((part, at) => {
      const key = JSON.stringify(part)
      const node = of.nodes[at]
      const remedy = 'Delete it, or change what it asks.'
      const field = `${of.field}[${at}]`
      if (seen.has(key) && node) {
        const repair = removePart(this.#source, of.nodes, at)
        this.#report(of.severity, { at: node, field, message: 'This one stands here twice.', remedy, repair })
      }
      seen.add(key)
    })
  }

  #refuseUnknown(entries: readonly QnaEntry[], known: readonly string[], prefix: string): void {
    for (const entry of entries) {
      if (known.includes(entry.key)) continue
      const close = known.find((key) => isClose(key, entry.key) && !find(entries, key))
      this.#report('error', {
        at: entry,
        field: prefix + entry.key,
        message: `The key "${entry.key}" is not known here.`,
        remedy: close ? `Rename it to "${close}".` : `Delete it; known here are ${known.join(', ')}.`,
        repair: close ? rename(entry, close) : removeEntry(this.#source, entries, { entry, kind: 'unknown-key' }),
      })
    }
  }

  #entries(node: QnaNode, field: string): readonly QnaEntry[] {
    if (node.kind === 'map') return node.entries
    this.#report('error', {
      at: node,
      field,
      message: `${field || 'The file'} is not a list of "key: value" lines.`,
      remedy: 'Write each part on its own line as "key: text".',
    })
    return []
  }

  #list(node: QnaNode, field: string, mayBeEmpty = false): readonly QnaNode[] {
    if (node.kind === 'list' && (node.nodes.length > 0 || mayBeEmpty)) return node.nodes
    this.#report('error', {
      at: node,
      field,
      message: node.kind === 'list' ? `${field} is an empty list.` : `${field} is not a list.`,
      remedy: 'Begin each of its parts with "- ", one below the other.',
    })
    return []
  }

  #text(of: { entries: readonly QnaEntry[]; key: string; owner: Place; prefix: string }): string {
    const entry = find(of.entries, of.key)
    if (entry) return this.#textOf(entry.value, of.prefix + of.key)
    this.#missing(of.owner, of.prefix + of.key, `Add "${of.key}: ..." with a text.`)
    return ''
  }

  /** `ifEmpty` mends a text that is empty. */
  #textOf(node: QnaNode, field: string, ifEmpty?: QnaRepair): string {
    if (node.kind !== 'scalar' || (typeof node.value !== 'string' && node.value !== null)) {
      const isScalar = node.kind === 'scalar'
      this.#report('error', {
        at: node,
        field,
        message: isScalar ? `YAML reads this as ${typeof node.value}, not as text.` : `${field} is not a text.`,
        remedy: isScalar
          ? `Put it in quotes: '${node.source}'.`
          : 'Write a text here, or "|" and the text indented below.',
        repair: isScalar ? quote(node) : undefined,
      })
      return ''
    }
    const text = trimBlankLines(node.value ?? '')
    if (text === '') {
      this.#report('error', {
        at: node,
        field,
        message: `${field} is empty.`,
        remedy: 'Write a text, or delete the whole part.',
        repair: ifEmpty,
      })
    }
    if (node.isBare && otherBoolean.test(text)) {
      this.#report('warning', {
        at: node,
        field,
        message: `InstructLab reads a bare ${text} as true or false.`,
        remedy: `Put it in quotes: '${text}'.`,
        repair: quote(node),
      })
    }
    return text
  }

  #missing(at: Place, field: string, remedy: string): void {
    this.#report('error', { at, field, message: `${field} is missing.`, remedy })
  }
}

/** Truth values of YAML 1.1, which InstructLab reads, that are plain texts in YAML 1.2. */
const otherBoolean = /^(?:yes|no|on|off)$/i

const sameWords = (text: string) => text.replace(/\s+/g, ' ').trim()

function find(entries: readonly QnaEntry[], key: string): QnaEntry | undefined {
  return entries.find((entry) => entry.key === key)
}

/** Without the blank lines before and the space after; the indentation of the first line is content. */
function trimBlankLines(text: string): string {
  return text.replace(/^(?:[^\S\n]*\n)+/, '').trimEnd()
}

/** Same but for case, plural, hyphens, or one letter. */
function isClose(known: string, written: string): boolean {
  const bare = (key: string) =>
    key
      .toLowerCase()
      .replace(/[^a-z]/g, '')
      .replace(/s$/, '')
  const [a, b] = [bare(known), bare(written)]
  if (a === b) return true
  if (Math.abs(a.length - b.length) > 1 || a.length < 4) return false
  let start = 0
  while (start < a.length && a[start] === b[start]) start++
  const shift = a.length === b.length ? [1, 1] : a.length > b.length ? [1, 0] : [0, 1]
  return a.slice(start + (shift[0] ?? 0)) === b.slice(start + (shift[1] ?? 0))
}
