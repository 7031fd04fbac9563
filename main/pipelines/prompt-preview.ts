// The prompt of a stage as a model would get it for a leaf: the leaf's own task, seeds and first chunk filled in, and marks where texts
// stand that models write.

import { AppError } from '../contract/errors.ts'
import type { StageName } from '../contract/generation.ts'
import type { LeafPath } from '../contract/ids.ts'
import { promptStages, renderPrompt, stageForms, stageGrammar } from '../domain/prompts.ts'
import { listDocuments } from '../store/documents.ts'
import { findLeaf, listSeeds } from '../store/taxonomy.ts'
import { chunksOf } from './chunks.ts'
import { chunkTokens } from './generate-sources.ts'
import type { Lab } from './lab.ts'
import { type PackName, readPromptPack, templateOf } from './prompt-packs.ts'

interface Wish {
  leaf: LeafPath
  stage: StageName
  pack: PackName
}

/** Throws `not-found` for a leaf that is not there, `bad-input` for a stage without a prompt. */
export async function previewPrompt(
  lab: Lab,
  { leaf: path, stage: name, pack }: Wish,
): Promise<{ system: string; user: string; grammar: string }> {
  const project = lab.project()
  const leaf = findLeaf(project.db, path)
  if (!leaf) throw missing(`There is no leaf ${path} in the taxonomy.`)
  const stage = promptStages.find((known) => known === name)
  if (!stage) throw missing(`The stage "${name}" asks no model with a prompt of its own.`)
  const template = templateOf(readPromptPack(lab.resources.promptsDir, pack, leaf.language), stage)
  const [document] = leaf.branch === 'knowledge' ? listDocuments(project.db, path) : []
  const [chunk] = document ? await chunksOf(project, document.id, { maxTokens: chunkTokens[pack] }) : []
  const given: Record<string, string> = {
    task: leaf.taskDescription,
    domain: leaf.domain,
    outline: leaf.documentOutline,
    ...(chunk && { chunk: chunk.text }),
    ...(!leaf.isGrounded && leaf.branch !== 'knowledge' && { context: '' }),
  }
  const names = stageForms[stage].variables.map((variable) => variable.replace('?', ''))
  const variables = Object.fromEntries(names.map((variable) => [variable, given[variable] ?? `‹${variable}›`]))
  const examples = listSeeds(project.db, path).map(({ context = '', question, answer }) => ({
    context,
    question,
    answer,
  }))
  return { ...renderPrompt(template, variables, examples), grammar: stageGrammar(stage) }
}

function missing(message: string): AppError {
  return new AppError({ code: 'not-found', message, remedy: 'Choose a leaf and a stage of the list.' })
}
