// Drafts by the teacher: questions with answers from one chunk, and a document's outline. Each is kept as a draft; nothing of it reaches
// a leaf before the user takes it.

import { createHash } from 'node:crypto'
import type { Draft } from '../contract/drafts.ts'
import { AppError } from '../contract/errors.ts'
import type { ChunkId, DocumentId } from '../contract/ids.ts'
import type { Model } from '../contract/models.ts'
import type { DocumentSummary, PlacedChunk } from '../contract/taxonomy.ts'
import type { LlamaSession } from '../compute/llama-protocol.ts'
import type { ChatTemplate } from '../domain/chat-template.ts'
import {
  parseStageOutput,
  type PromptTemplate,
  type PromptVariables,
  renderPrompt,
  stageGrammar,
} from '../domain/prompts.ts'
import { callSeed, shownSeeds } from '../domain/slot-plan.ts'
import { type StageSettings, stageSettings } from '../domain/stage-settings.ts'
import { saveChunks } from '../store/documents.ts'
import { countDrafts, saveDraft } from '../store/drafts.ts'
import { findLeaf } from '../store/taxonomy.ts'
import { previewChunks } from './chunks.ts'
import { requireDocument } from './documents.ts'
import type { Lab } from './lab.ts'
import { requireRole, withModel } from './model-role.ts'
import { readPromptPack, templateOf } from './prompt-packs.ts'

/** Tries of one draft before its form is given up. */
const maxTries = 3
/** Headings shown to whoever writes an outline, and letters of the beginning. */
const shownHeadings = 60
const shownBeginning = 4000

/** Drafts pairs from a chunk as it is shown at a size. @throws AppError `not-found`, `model-missing`, `bad-input` */
export async function draftPairs(
  lab: Lab,
  {
    documentId,
    chunkId,
    tokens,
    count,
  }: { documentId: DocumentId; chunkId: ChunkId; tokens?: number | undefined; count: number },
): Promise<Draft[]> {
  const { db } = lab.project()
  const document = requireDocument(lab.project(), documentId)
  const chunk = (await previewChunks(lab.project(), documentId, { maxTokens: tokens })).find(({ id }) => id === chunkId)
  if (!chunk) throw noChunk(chunkId)
  const leaf = findLeaf(db, document.leaf)
  const model = requireRole(lab, 'teacher')
  const pack = readPromptPack(lab.resources.promptsDir, model.promptPack, leaf?.language ?? 'en')
  const examples = (leaf?.seeds ?? []).slice(0, shownSeeds).map(({ question, answer }) => ({ question, answer }))
  const variables = { domain: leaf?.domain ?? '', outline: leaf?.documentOutline ?? '', chunk: chunk.text }
  const settings = stageSettings('knowledge-qa', model.promptPack)
  saveChunks(db, documentId, [chunk])
  const earlier = countDrafts(db, chunkId)
  return ask(
    lab,
    { model, template: templateOf(pack, 'knowledge-qa'), variables, examples, settings },
    async (draft) => {
      const drafts: Draft[] = []
      for (let at = 0; at < count; at++) {
        const made = await draft({ leaf: document.leaf, slot: earlier + at, stage: `draft ${chunkId}` })
        const { question = '', answer = '' } = made.fields
        drafts.push(
          keep(lab, { kind: 'pair', document, chunk, question, answer, model, promptSha256: made.promptSha256 }),
        )
      }
      return drafts
    },
  )
}

/** Drafts what a document is about. @throws AppError `bad-input` where the teacher's prompts have no stage for it */
export async function draftOutline(lab: Lab, documentId: DocumentId): Promise<Draft> {
  const project = lab.project()
  const document = requireDocument(project, documentId)
  const model = requireRole(lab, 'teacher')
  const language = findLeaf(project.db, document.leaf)?.language ?? 'en'
  const { templates } = readPromptPack(lab.resources.promptsDir, model.promptPack, language)
  const template = templates['document-outline']
  if (!template) throw noOutlines(model)
  const chunks = await previewChunks(project, documentId)
  const headings = [...new Set(chunks.flatMap((chunk) => [...chunk.headings, ...headingsIn(chunk.text)]))]
  const variables = {
    name: document.name,
    headings: headings.slice(0, shownHeadings).join('\n'),
    chunk: (chunks[0]?.text ?? '').slice(0, shownBeginning),
  }
  return ask(
    lab,
    { model, template, variables, examples: [], settings: stageSettings('document-outline', model.promptPack) },
    async (draft) => {
      const made = await draft({ leaf: document.leaf, slot: lab.now() % 2 ** 31, stage: 'document-outline' })
      const answer = made.fields['outline'] ?? ''
      return keep(lab, {
        kind: 'outline',
        document,
        chunk: null,
        question: '',
        answer,
        model,
        promptSha256: made.promptSha256,
      })
    },
  )
}

interface Asking {
  model: Model
  template: PromptTemplate
  variables: PromptVariables
  examples: readonly PromptVariables[]
  settings: StageSettings
}
interface Made {
  fields: Record<string, string>
  promptSha256: string
}
type DraftOne = (call: { leaf: string; slot: number; stage: string }) => Promise<Made>

async function ask<Answer>(lab: Lab, asking: Asking, use: (draft: DraftOne) => Promise<Answer>): Promise<Answer> {
  const { model, template, variables, examples, settings } = asking
  const { system, user } = renderPrompt(template, variables, examples)
  const bytes = Buffer.byteLength(system + user) + settings.maxTokens
  return withModel(lab, { model, bytes }, (session, chat) => {
    const turns = [
      { role: 'system', content: system },
      { role: 'user', content: user },
    ] as const
    return use((call) => draftOnce(session, chat, { prompt: chat.renderPrompt(turns), template, settings, call }))
  })
}

async function draftOnce(
  session: LlamaSession,
  chat: ChatTemplate,
  {
    prompt,
    template,
    settings,
    call,
  }: { prompt: string; template: PromptTemplate; settings: StageSettings; call: Parameters<DraftOne>[0] },
): Promise<Made> {
  const promptSha256 = createHash('sha256').update(prompt).digest('hex')
  for (let attempt = 0; attempt < maxTries; attempt++) {
    const seed = callSeed({ ...call, runSeed: 1, attempt })
    const request = { prompt, seed, grammar: stageGrammar(template.stage), stops: chat.stops, ...settings }
    const { text, stop } = await session.complete(request)
    const fields = stop === 'length' ? null : readFields(template, text)
    if (fields) return { fields, promptSha256 }
  }
  throw new AppError({
    code: 'bad-input',
    message: 'The teacher did not finish a draft in the form asked for.',
    remedy: 'Try again, choose a shorter chunk, or another teacher.',
  })
}

function readFields({ stage }: PromptTemplate, text: string): Record<string, string> | null {
  try {
    return parseStageOutput(stage, text)
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'bad-input') return null
    throw thrown
  }
}

interface Keeping {
  kind: Draft['kind']
  document: DocumentSummary
  chunk: PlacedChunk | null
  question: string
  answer: string
  model: Model
  promptSha256: string
}

function keep(lab: Lab, { document, chunk, model, ...draft }: Keeping): Draft {
  const where = { documentId: document.id, chunkId: chunk?.id ?? null, modelId: model.id, createdAtMs: lab.now() }
  const kept = saveDraft(lab.project().db, { ...draft, ...where })
  lab.emit({ kind: 'changed', what: 'documents' })
  return kept
}

function headingsIn(text: string): string[] {
  return [...text.matchAll(/^#{1,6}\s+(.+)$/gm)].map(([, title = '']) => title.trim())
}

function noChunk(id: ChunkId): AppError {
  return new AppError({
    code: 'not-found',
    message: 'This chunk is no longer in the document at this size.',
    remedy: 'Choose the chunk again; the list may have changed.',
    detail: id,
  })
}

function noOutlines({ name }: Model): AppError {
  return new AppError({
    code: 'bad-input',
    message: `"${name}" uses the compact prompts, which have none for outlines.`,
    remedy: 'Write the outline yourself, or choose a teacher that uses the standard prompts.',
  })
}
