// Where pipelines come from: presets that ship with the app, and the user's own, kept in the project. A run takes a copy, so editing one
// later changes no run.

import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { AppError } from '../contract/errors.ts'
import { chainKinds, type Pipeline, type PipelineSummary } from '../contract/pipelines.ts'
import { readPipeline } from '../domain/pipeline.ts'
import { listPipelines, removePipeline, savePipeline } from '../store/pipelines.ts'
import type { Handlers, Lab } from './lab.ts'

type PipelineMethods = 'pipeline.list' | 'pipeline.check' | 'pipeline.save' | 'pipeline.remove'

export function pipelineMethods(lab: Lab): Handlers<PipelineMethods> {
  return {
    'pipeline.list': () => listAll(lab),
    'pipeline.check': ({ text }) => readPipeline(text).problems,
    'pipeline.save': ({ text }) => {
      const pipeline = requirePipeline(text)
      const { name } = pipeline
      if (presets(lab).some((preset) => preset.name === name)) throw isPreset(name)
      savePipeline(lab.project().db, { name, text, updatedAtMs: lab.now() })
      lab.emit({ kind: 'changed', what: 'generation' })
      return summaryOf(pipeline, text, false)
    },
    'pipeline.remove': ({ name }) => {
      if (!removePipeline(lab.project().db, name)) throw noPipeline(name)
      lab.emit({ kind: 'changed', what: 'generation' })
      return null
    },
  }
}

/** The pipeline of this name: the user's or a preset. Throws `not-found`. */
export function findPipeline(lab: Lab, name: string): Pipeline {
  const found = listAll(lab).find((pipeline) => pipeline.name === name)
  if (!found) throw noPipeline(name)
  return requirePipeline(found.text)
}

function listAll(lab: Lab): PipelineSummary[] {
  const own = listPipelines(lab.project().db).map(({ text }) => summaryOf(requirePipeline(text), text, false))
  return [...presets(lab), ...own]
}

/** Presets, the paper's first. */
function presets(lab: Lab): PipelineSummary[] {
  const folder = lab.resources.pipelinesDir
  const names = readdirSync(folder).filter((file) => file.endsWith('.yaml'))
  const order = (file: string) => (basename(file, '.yaml') === 'lab' ? 0 : 1)
  return names
    .sort((a, b) => order(a) - order(b) || a.localeCompare(b))
    .map((file) => {
      const text = readFileSync(join(folder, file), 'utf8')
      return summaryOf(requirePipeline(text), text, true)
    })
}

function summaryOf(pipeline: Pipeline, text: string, preset: boolean): PipelineSummary {
  const { name, description, chains } = pipeline
  return { name, description, isPreset: preset, chains: chainKinds.filter((kind) => chains[kind]), text }
}

function requirePipeline(text: string): Pipeline {
  const { pipeline, problems } = readPipeline(text)
  if (pipeline) return pipeline
  const first = problems.find(({ severity }) => severity === 'error')
  throw new AppError({
    code: 'bad-input',
    message: `The pipeline cannot be used: line ${first?.line ?? 1}: ${first?.message ?? 'it is empty.'}`,
    remedy: first?.remedy ?? 'Start from one of the presets.',
  })
}

function noPipeline(name: string): AppError {
  return new AppError({
    code: 'not-found',
    message: `There is no pipeline "${name}" of yours in this project.`,
    remedy: 'Choose one of the list, or save it first.',
  })
}
function isPreset(name: string): AppError {
  return new AppError({
    code: 'bad-input',
    message: `"${name}" is a preset, and presets stay as they are.`,
    remedy: 'Give your pipeline another name.',
  })
}
