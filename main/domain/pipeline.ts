// Reads pipelines: YAML text -> checked chains of blocks, with line and column of every problem. Knows what each block reads and
// writes, and so which orders make sense; it calls nothing.

import {
  type BlockName,
  type ChainKind,
  chainKinds,
  type MaterialForm,
  type Pipeline,
  type PipelineBlock,
  type PipelineProblem,
  pipelineSchema,
} from '../contract/pipelines.ts'
import type { Leaf } from '../contract/taxonomy.ts'
import type { PromptStage } from './prompts.ts'
import { type QnaNode, readTree } from './qna-tree.ts'

export type Part = 'context' | 'question' | 'answer'

interface BlockFacts {
  chains: readonly ChainKind[]
  reads: readonly Part[]
  writes: readonly Part[]
}

const knowledge: readonly ChainKind[] = ['knowledge']
const skills: readonly ChainKind[] = ['freeform', 'grounded']
const pair: readonly Part[] = ['question', 'answer']

/** Where each block may stand, and what it reads and writes. */
export const blockFacts: Record<BlockName, BlockFacts> = {
  material: { chains: knowledge, reads: [], writes: [] },
  pair: { chains: knowledge, reads: [], writes: pair },
  'entity-pair': { chains: knowledge, reads: [], writes: pair },
  context: { chains: ['grounded'], reads: [], writes: ['context'] },
  question: { chains: skills, reads: [], writes: ['question'] },
  evolve: { chains: skills, reads: ['question'], writes: ['question'] },
  answer: { chains: [...skills, 'mined'], reads: ['question'], writes: ['answer'] },
  choices: { chains: knowledge, reads: pair, writes: pair },
  mine: { chains: ['mined'], reads: [], writes: ['question'] },
  'question-fit': { chains: skills, reads: ['question'], writes: [] },
  'pair-grade': { chains: skills, reads: pair, writes: [] },
  faithful: { chains: knowledge, reads: pair, writes: [] },
  relevant: { chains: knowledge, reads: pair, writes: [] },
  'self-contained': { chains: knowledge, reads: ['question'], writes: [] },
  new: { chains: chainKinds, reads: pair, writes: [] },
  semantic: { chains: chainKinds, reads: pair, writes: [] },
  unseen: { chains: chainKinds, reads: ['question'], writes: [] },
  language: { chains: chainKinds, reads: pair, writes: [] },
  format: { chains: skills, reads: ['answer'], writes: [] },
  known: { chains: chainKinds, reads: pair, writes: [] },
}

export const materialStages: Record<Exclude<MaterialForm, 'as-is'>, PromptStage> = {
  'clean-up': 'document-clean-up',
  'detailed-summary': 'document-summary',
  'extractive-summary': 'document-extract',
  'atomic-facts': 'document-facts',
}

/** A call a block makes with a prompt of its own, and who is asked. */
export interface PromptCall {
  stage: PromptStage
  who: 'teacher' | 'judge'
}

/** The calls of a block, for a leaf's persona. None for rules and for what the student is asked in its own words. */
export function promptCalls(block: PipelineBlock, chain: ChainKind, persona: Leaf['persona']): PromptCall[] {
  const written = (...stages: PromptStage[]) => stages.map((stage): PromptCall => ({ stage, who: 'teacher' }))
  const judged = (stage: PromptStage): PromptCall => ({ stage, who: ('by' in block && block.by) || 'judge' })
  switch (block.use) {
    case 'material':
      return written(...block.forms.flatMap((form) => (form === 'as-is' ? [] : [materialStages[form]])))
    case 'pair':
      return written('knowledge-qa')
    case 'entity-pair':
      return written('knowledge-entities', 'knowledge-entity-pair')
    case 'context':
      return written('skill-context')
    case 'question':
      return written('skill-question')
    case 'evolve':
      return written(`question-${block.how}`)
    case 'answer': {
      if (chain === 'mined') return []
      const answer = written(`skill-answer-${persona}`)
      return (block.bestOf ?? 1) > 1 ? [...answer, judged('skill-pair-judge')] : answer
    }
    case 'choices':
      return [...written('knowledge-choice'), judged('choice-verify')]
    case 'question-fit':
      return [judged('skill-question-judge')]
    case 'pair-grade':
      return [judged('skill-pair-judge')]
    case 'faithful':
      return [judged('knowledge-faithful')]
    case 'relevant':
      return [judged('knowledge-relevant')]
    case 'self-contained':
      return [judged('knowledge-self-contained')]
    default:
      return []
  }
}

/** The chain a leaf's slots go through. */
export function chainOf(leaf: Pick<Leaf, 'branch' | 'isGrounded' | 'seedCount'>): ChainKind {
  if (leaf.branch === 'knowledge') return 'knowledge'
  if (leaf.branch === 'foundational_skills' && leaf.seedCount === 0) return 'mined'
  return leaf.isGrounded ? 'grounded' : 'freeform'
}

/** Whether a chain cannot do without the student. */
export function needsStudent(blocks: readonly PipelineBlock[]): boolean {
  return blocks.some(({ use }) => use === 'mine')
}

/** The pipeline, or null with at least one error among the problems; hints do not stop it. Never throws. */
export function readPipeline(text: string): { pipeline: Pipeline | null; problems: PipelineProblem[] } {
  const { root, problems } = readTree(text)
  if (!root) return { pipeline: null, problems: problems.map((problem) => ({ ...problem, severity: 'error' })) }
  const read = pipelineSchema.safeParse(plainOf(root))
  if (!read.success) {
    const found = read.error.issues.slice(0, 20).map((issue): PipelineProblem => {
      const keys = issue.path.map((key) => (typeof key === 'number' ? key : String(key)))
      const message = messageOf(issue, root, keys)
      return {
        severity: 'error',
        ...placeOf(root, keys),
        field: fieldOf(keys),
        message,
        remedy: asPreset,
      }
    })
    return { pipeline: null, problems: found }
  }
  const found = chainKinds.flatMap((kind) => checkChain(kind, read.data.chains[kind] ?? [], root))
  const isEmpty = chainKinds.every((kind) => !read.data.chains[kind])
  if (isEmpty) {
    const message = 'The pipeline has no chain.'
    found.push({ severity: 'error', ...placeOf(root, ['chains']), field: 'chains', message, remedy: asPreset })
  }
  return { pipeline: found.some(({ severity }) => severity === 'error') ? null : read.data, problems: found }
}

/** What is wrong, in the words of pipelines. */
function messageOf(
  issue: { code: string; message: string },
  root: QnaNode,
  path: readonly (string | number)[],
): string {
  if (issue.code !== 'invalid_union' || path.at(-1) !== 'use') return `${issue.message}.`
  const names = Object.keys(blockFacts)
  const given = path.reduce<QnaNode | undefined>((node, key) => {
    if (node?.kind === 'list' && typeof key === 'number') return node.nodes[key]
    return node?.kind === 'map' ? node.entries.find((entry) => entry.key === key)?.value : undefined
  }, root)
  const name = given?.kind === 'scalar' ? String(given.value) : ''
  return `There is no block "${name}". There are: ${names.join(', ')}.`
}

const asPreset = 'Compare it with one of the presets.'

function checkChain(kind: ChainKind, blocks: readonly PipelineBlock[], root: QnaNode): PipelineProblem[] {
  const problems: PipelineProblem[] = []
  const report = (severity: PipelineProblem['severity'], at: number | null, words: [string, string]) => {
    const keys = at === null ? ['chains', kind] : ['chains', kind, at]
    problems.push({ severity, ...placeOf(root, keys), field: fieldOf(keys), message: words[0], remedy: words[1] })
  }
  const known = new Set<Part>()
  blocks.forEach((block, at) => {
    const { chains, reads, writes } = blockFacts[block.use]
    if (!chains.includes(kind))
      report('error', at, [`"${block.use}" has no place in a ${kind} chain.`, `It belongs to: ${chains.join(', ')}.`])
    const missing = chains.includes(kind) ? reads.find((part) => !known.has(part)) : undefined
    if (missing)
      report('error', at, [
        `"${block.use}" needs a ${missing}, which no block before it writes.`,
        'Move it further down.',
      ])
    for (const part of writes) known.add(part)
  })
  if (blocks.length === 0) return problems
  const unwritten = pair.find((part) => !known.has(part))
  if (unwritten && problems.length === 0)
    report('error', null, [`The ${kind} chain never writes a ${unwritten}.`, 'Add the block that writes it.'])
  const names = new Set(blocks.map(({ use }) => use))
  if (!names.has('new'))
    report('hint', null, [`The ${kind} chain lets duplicates through.`, 'Add "new" behind the last block that writes.'])
  if (!names.has('unseen'))
    report('hint', null, [
      `The ${kind} chain may repeat held-out exams.`,
      'Add "unseen" behind the last block that writes.',
    ])
  return problems
}

/** Plain values of a placed tree; keys given twice were refused by the reader. */
function plainOf(node: QnaNode): unknown {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') return node.nodes.map(plainOf)
  return Object.fromEntries(node.entries.map(({ key, value }) => [key, plainOf(value)]))
}

/** The place of a path, or of as much of it as there is. */
function placeOf(root: QnaNode, path: readonly (string | number)[]): { line: number; column: number } {
  let node = root
  let place = { line: root.line, column: root.column }
  for (const key of path) {
    if (node.kind === 'list' && typeof key === 'number') {
      const next = node.nodes[key]
      if (!next) break
      node = next
      place = { line: next.line, column: next.column }
    } else if (node.kind === 'map') {
      const entry = node.entries.find((one) => one.key === key)
      if (!entry) break
      node = entry.value
      place = { line: entry.line, column: entry.column }
    } else break
  }
  return place
}

function fieldOf(path: readonly (string | number)[]): string {
  return path.map((key, at) => (typeof key === 'number' ? `[${key}]` : at === 0 ? key : `.${key}`)).join('')
}
