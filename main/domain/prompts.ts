// Prompt templates: the files under main/prompts/<pack>/<language>/<stage>.yaml, how they are filled in, and the exact form of what
// each stage answers (labels, grammar, parser). The one place that knows a stage's variables and fields; it reads no files itself.

import { parse } from 'yaml'
import { AppError } from '../contract/errors.ts'

/** Stages every prompt pack has; the demo's teacher was taught these. */
export const coreStages = [
  'knowledge-qa',
  'knowledge-faithful',
  'knowledge-relevant',
  'knowledge-self-contained',
  'knowledge-choice',
  'choice-verify',
  'skill-context',
  'skill-question',
  'skill-question-judge',
  'skill-answer-precise',
  'skill-answer-creative',
  'skill-pair-judge',
] as const
export type CoreStage = (typeof coreStages)[number]

/** Stages that call a model. Equal to the file names of a prompt pack; only the standard pack has all. */
export const promptStages = [
  ...coreStages,
  'document-outline',
  'document-clean-up',
  'document-summary',
  'document-extract',
  'document-facts',
  'knowledge-entities',
  'knowledge-entity-pair',
  'question-harder',
  'question-broader',
] as const
export type PromptStage = (typeof promptStages)[number]

/** `line`: one line of text. `text`: to the end, may have several lines; `list`: lines that begin with "- " (last field only). The rest are closed sets. */
type FieldKind = 'line' | 'text' | 'list' | 'yes-no' | 'grade' | 'letter'
interface OutputField {
  name: string
  /** Printed before the value, followed by a space; empty: the value stands alone. */
  label: string
  kind: FieldKind
}
interface StageForm {
  /** Names a template of this stage may use; `?` marks those that may be empty. */
  variables: readonly string[]
  /** Names inside one in-context example; empty: the stage shows none. */
  exampleVariables: readonly string[]
  fields: readonly OutputField[]
}

const answerForm: StageForm = {
  variables: ['task', 'context?', 'question'],
  exampleVariables: ['context?', 'question', 'answer'],
  fields: [{ name: 'answer', label: '', kind: 'text' }],
}

const pairFields: StageForm['fields'] = [
  { name: 'question', label: 'Question:', kind: 'line' },
  { name: 'answer', label: 'Answer:', kind: 'text' },
]
const rewriteForm: StageForm = {
  variables: ['domain?', 'outline?', 'chunk'],
  exampleVariables: [],
  fields: [{ name: 'text', label: '', kind: 'text' }],
}
const listForm: StageForm = { ...rewriteForm, fields: [{ name: 'lines', label: '', kind: 'list' }] }
const evolveForm: StageForm = {
  variables: ['task', 'context?', 'question'],
  exampleVariables: [],
  fields: [{ name: 'question', label: '', kind: 'text' }],
}

/** Variables and output fields of every stage. `quote` of a judge that found nothing is `none`. */
export const stageForms: Record<PromptStage, StageForm> = {
  'knowledge-qa': {
    variables: ['domain?', 'outline?', 'chunk'],
    exampleVariables: ['question', 'answer'],
    fields: pairFields,
  },
  'knowledge-faithful': {
    variables: ['chunk', 'question', 'answer'],
    exampleVariables: [],
    fields: [
      { name: 'quote', label: 'Quote:', kind: 'line' },
      { name: 'verdict', label: 'Verdict:', kind: 'yes-no' },
    ],
  },
  'knowledge-relevant': {
    variables: ['chunk', 'question', 'answer'],
    exampleVariables: [],
    fields: [
      { name: 'reason', label: 'Reason:', kind: 'line' },
      { name: 'verdict', label: 'Verdict:', kind: 'yes-no' },
    ],
  },
  'knowledge-self-contained': {
    variables: ['question'],
    exampleVariables: [],
    fields: [{ name: 'verdict', label: 'Verdict:', kind: 'yes-no' }],
  },
  'knowledge-choice': {
    variables: ['chunk', 'question', 'answer'],
    exampleVariables: [],
    fields: [
      { name: 'wrong1', label: '1:', kind: 'line' },
      { name: 'wrong2', label: '2:', kind: 'line' },
      { name: 'wrong3', label: '3:', kind: 'line' },
    ],
  },
  'choice-verify': {
    variables: ['chunk', 'question', 'a', 'b', 'c', 'd'],
    exampleVariables: [],
    fields: [
      { name: 'quote', label: 'Quote:', kind: 'line' },
      { name: 'letter', label: 'Letter:', kind: 'letter' },
    ],
  },
  'skill-context': {
    variables: ['task'],
    exampleVariables: ['context'],
    fields: [{ name: 'context', label: '', kind: 'text' }],
  },
  'skill-question': {
    variables: ['task', 'context?'],
    exampleVariables: ['context?', 'question'],
    fields: [{ name: 'question', label: '', kind: 'text' }],
  },
  'skill-question-judge': {
    variables: ['task', 'context?', 'question'],
    exampleVariables: ['context?', 'question'],
    fields: [
      { name: 'reason', label: 'Reason:', kind: 'line' },
      { name: 'verdict', label: 'Verdict:', kind: 'yes-no' },
    ],
  },
  'skill-answer-precise': answerForm,
  'skill-answer-creative': answerForm,
  'skill-pair-judge': {
    variables: ['task', 'context?', 'question', 'answer'],
    exampleVariables: ['context?', 'question', 'answer'],
    fields: [
      { name: 'reason', label: 'Reason:', kind: 'line' },
      { name: 'score', label: 'Score:', kind: 'grade' },
    ],
  },
  'document-outline': {
    variables: ['name', 'headings?', 'chunk'],
    exampleVariables: [],
    fields: [{ name: 'outline', label: '', kind: 'line' }],
  },
  'document-clean-up': rewriteForm,
  'document-summary': rewriteForm,
  'document-extract': listForm,
  'document-facts': listForm,
  'knowledge-entities': listForm,
  'knowledge-entity-pair': {
    variables: ['domain?', 'outline?', 'chunk', 'first', 'second'],
    exampleVariables: [],
    fields: pairFields,
  },
  'question-harder': evolveForm,
  'question-broader': evolveForm,
}

/** One prompt file. `user` may hold `{{name}}`, `{{#name}}shown when not empty{{/name}}`, `{{examples}}` and `{{output}}`. */
export interface PromptTemplate {
  stage: PromptStage
  system: string
  user: string
  /** How one in-context example is written; empty when the stage shows none. */
  example: string
  /** At most this many in-context examples are shown (prompts for small contexts show fewer). */
  exampleCount: number
  /** The wanted form in words, put at `{{output}}`; by default the bare form. */
  output: string
}

export type PromptVariables = Record<string, string>
interface RenderedPrompt {
  system: string
  user: string
}

/** Reads one prompt file. Throws `bad-input` for a missing key, an unknown key or a variable the stage does not have. */
export function parsePromptFile(stage: PromptStage, text: string): PromptTemplate {
  const tree: unknown = parse(text)
  if (typeof tree !== 'object' || tree === null) throw badPrompt(stage, 'it is not a YAML mapping')
  const {
    system,
    user,
    example = '',
    example_count: exampleCount = 3,
    output,
    ...unknown
  } = tree as Record<string, unknown>
  const unknownKey = Object.keys(unknown)[0]
  if (unknownKey) throw badPrompt(stage, `the key "${unknownKey}" is not known`)
  if (typeof system !== 'string' || typeof user !== 'string')
    throw badPrompt(stage, '"system" and "user" must be texts')
  if (typeof example !== 'string' || typeof exampleCount !== 'number')
    throw badPrompt(stage, '"example" must be a text and "example_count" a number')
  if (output !== undefined && typeof output !== 'string') throw badPrompt(stage, '"output" must be a text')
  const form = stageForms[stage]
  checkVariables(stage, system + user, [...form.variables, 'examples', 'output'])
  checkVariables(stage, example, form.exampleVariables)
  const template = { stage, system: system.trim(), user: user.trim(), example: example.trim(), exampleCount }
  return { ...template, output: (output ?? outputForm(stage)).trim() }
}

/** The bare form a stage answers in, e.g. `Question: ...\nAnswer: ...`. */
function outputForm(stage: PromptStage): string {
  const shown: Record<FieldKind, string> = {
    line: '...',
    text: '...',
    list: '- ...\n- ...',
    'yes-no': 'YES or NO',
    grade: '1, 2 or 3',
    letter: 'A, B, C or D',
  }
  return stageForms[stage].fields
    .map((field) => (field.label ? `${field.label} ${shown[field.kind]}` : shown[field.kind]))
    .join('\n')
}

/** Fills a template. Variables the template does not use are ignored; a required one that is missing throws `bad-input`. */
export function renderPrompt(
  template: PromptTemplate,
  variables: PromptVariables,
  examples: readonly PromptVariables[] = [],
): RenderedPrompt {
  const form = stageForms[template.stage]
  for (const name of form.variables) {
    if (!name.endsWith('?') && variables[name] === undefined)
      throw badPrompt(template.stage, `the variable "${name}" was not given`)
  }
  const shown = examples.slice(0, template.exampleCount).map((example) => fill(template.example, example).trim())
  const all = { ...variables, examples: shown.join('\n\n'), output: template.output }
  return { system: fill(template.system, all).trim(), user: fill(template.user, all).trim() }
}

function fill(text: string, variables: PromptVariables): string {
  const kept = text.replace(/\{\{#(\w+)\}\}([\s\S]*?)\{\{\/\1\}\}/g, (_, name: string, body: string) =>
    variables[name] ? body : '',
  )
  return kept.replace(/\{\{(\w+)\}\}/g, (_, name: string) => variables[name] ?? '')
}

/** Every character that trimming takes away: a line of nothing else says nothing. */
const blank = ' \\n\\r\\t\\x0B\\x0C\\u00A0\\u1680\\u2000-\\u200A\\u2028\\u2029\\u202F\\u205F\\u3000\\uFEFF'

/** The GBNF grammar that admits exactly the stage's output form. */
export function stageGrammar(stage: PromptStage): string {
  const parts = stageForms[stage].fields.map((field) => (field.label ? `"${field.label} " ${field.kind}` : field.kind))
  return [
    `root ::= ${parts.join(' "\\n" ')}`,
    `line ::= [^${blank}] [^\\n\\r]*`,
    `text ::= [^${blank}] [^\\x00]*`,
    'list ::= "- " line ("\\n- " line)*',
    'yes-no ::= "YES" | "NO"',
    'grade ::= [1-3]',
    'letter ::= [A-D]',
  ].join('\n')
}

const valuePattern: Record<FieldKind, string> = {
  line: '([^\\n]*\\S[^\\n]*)',
  text: '([\\s\\S]*\\S[\\s\\S]*)',
  list: '((?:- [^\\n]*\\S[^\\n]*)(?:\\n- [^\\n]*\\S[^\\n]*)*)',
  'yes-no': '(YES|NO)',
  grade: '([1-3])',
  letter: '([A-D])',
}

/** Reads a stage's output into its fields, trimmed. Throws `bad-input` when the text does not have the stage's form. */
export function parseStageOutput(stage: PromptStage, text: string): Record<string, string> {
  const { fields } = stageForms[stage]
  const lines = fields.map((field) => (field.label ? `${field.label}[ ]*` : '') + valuePattern[field.kind])
  const match = new RegExp(`^\\s*${lines.join('[ ]*\\n')}\\s*$`).exec(text)
  if (!match) {
    throw new AppError({
      code: 'bad-input',
      message: `The model's answer does not have the form of the stage "${stage}".`,
      remedy: 'Generate again; if it happens often, use another teacher model or prompt pack.',
      detail: text.slice(0, 400),
    })
  }
  return Object.fromEntries(fields.map((field, index) => [field.name, (match[index + 1] ?? '').trim()]))
}

/** Writes fields in the stage's form: the inverse of `parseStageOutput`, used for training texts. */
export function writeStageOutput(stage: PromptStage, values: Record<string, string>): string {
  return stageForms[stage].fields
    .map((field) => (field.label ? `${field.label} ` : '') + (values[field.name] ?? ''))
    .join('\n')
}

function checkVariables(stage: PromptStage, text: string, allowed: readonly string[]): void {
  const names = allowed.map((name) => name.replace('?', ''))
  for (const [, name = ''] of text.matchAll(/\{\{[#/]?(\w+)\}\}/g)) {
    if (!names.includes(name))
      throw badPrompt(stage, `the variable "${name}" is not known; known are ${names.join(', ')}`)
  }
}

function badPrompt(stage: PromptStage, what: string): AppError {
  return new AppError({
    code: 'bad-input',
    message: `The prompt file of the stage "${stage}" cannot be used: ${what}.`,
    remedy: 'Correct the prompt file, or choose another prompt pack.',
  })
}
