// Writes the demo leaves' qna.yaml files (schema version 3) as text a person could have written.

import type { QaPair } from './knowledge-cases.ts'

export interface KnowledgeSeed {
  context: string
  pairs: Pick<QaPair, 'question' | 'answer'>[]
}

const createdBy = 'labdesk-demo'

/** A skill leaf's file; seeds with a context make it grounded. */
export function writeSkillQna(task: string, seeds: { question: string; answer: string; context?: string }[]): string {
  const examples = seeds.flatMap(({ question, answer, context }) => [
    ...(context
      ? [`  - context: ${quote(context)}`, `    question: ${quote(question)}`]
      : [`  - question: ${quote(question)}`]),
    `    answer: ${quote(answer)}`,
  ])
  return `${['version: 3', `created_by: ${createdBy}`, `task_description: ${quote(task)}`, 'seed_examples:', ...examples].join('\n')}\n`
}

/** A knowledge leaf's file. The document lives beside it, so `repo` is a dot. */
export function writeKnowledgeQna(leaf: {
  domain: string
  outline: string
  document: string
  seeds: KnowledgeSeed[]
}): string {
  const examples = leaf.seeds.flatMap(({ context, pairs }) => [
    '  - context: |',
    ...context.split('\n').map((line) => (line ? `      ${line}` : '')),
    '    questions_and_answers:',
    ...pairs.flatMap(({ question, answer }) => [
      `      - question: ${quote(question)}`,
      `        answer: ${quote(answer)}`,
    ]),
  ])
  const head = [
    'version: 3',
    `created_by: ${createdBy}`,
    `domain: ${quote(leaf.domain)}`,
    `document_outline: ${quote(leaf.outline)}`,
  ]
  const document = [
    'document:',
    '  repo: .',
    '  commit: "0000000000000000000000000000000000000000"',
    '  patterns:',
    `    - ${leaf.document}`,
  ]
  return `${[...head, ...document, 'seed_examples:', ...examples].join('\n')}\n`
}

/** A double-quoted YAML scalar (JSON strings are valid YAML). */
function quote(text: string): string {
  return JSON.stringify(text)
}
