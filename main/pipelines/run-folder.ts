// Where the files of a tuning run lie: runs/<tuning>/<phase>/<checkpoint> below the project's folder. A checkpoint counts only once its
// manifest is there (the trainer writes it last); what has none is a torn write and is removed. Paths in the store are relative.

import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import type { TuningId } from '../contract/ids.ts'
import type { PhasePlan } from '../contract/tuning.ts'
import type { OpenProject } from './lab.ts'

const manifestName = 'checkpoint.json'
/** step-N: a checkpoint of the plan. resume-N: where a pause left off, gone once a later checkpoint exists. */
const folderPattern = /^(step|resume)-(\d+)$/

/** Folder of a run, absolute. */
export function runFolder(project: OpenProject, tuningId: TuningId): string {
  return join(project.folder, 'runs', tuningId)
}

/** Folder of a phase, absolute; made when absent. */
export function phaseFolder(
  project: OpenProject,
  tuningId: TuningId,
  place: { phaseIndex: number; name: PhasePlan['name'] },
): string {
  const folder = join(runFolder(project, tuningId), `${place.phaseIndex + 1}-${place.name.replace('/', '-')}`)
  mkdirSync(folder, { recursive: true })
  return folder
}

/** A path as the store keeps it, so that a project can be moved. */
export function toStoredPath(project: OpenProject, path: string): string {
  return relative(project.folder, path)
}

/** A stored path, absolute; empty stays empty. */
export function fromStoredPath(project: OpenProject, path: string): string {
  return path === '' ? '' : join(project.folder, path)
}

/** A complete checkpoint on disk. */
export interface SavedPoint {
  kind: 'step' | 'resume'
  step: number
  folder: string
}

/** Complete checkpoints of a phase, latest step first. Incomplete ones are removed. */
export function listSavedPoints(phaseFolderPath: string): SavedPoint[] {
  const points: SavedPoint[] = []
  for (const name of readdirSync(phaseFolderPath)) {
    const [, kind, step] = folderPattern.exec(name) ?? []
    if (kind === undefined) continue
    const folder = join(phaseFolderPath, name)
    if (existsSync(join(folder, manifestName)))
      points.push({ kind: kind as SavedPoint['kind'], step: Number(step), folder })
    else removeFolder(folder)
  }
  return points.sort((a, b) => b.step - a.step)
}

/** Folder of a checkpoint to be, absolute. */
export function pointFolder(phaseFolderPath: string, kind: SavedPoint['kind'], step: number): string {
  return join(phaseFolderPath, `${kind}-${step}`)
}

/** Renames a checkpoint that cannot be read, so that it is no longer taken for one; answers with where it lies now. */
export function setAside(folder: string): string {
  const kept = join(dirname(folder), `damaged-${basename(folder)}`)
  rmSync(kept, { recursive: true, force: true })
  renameSync(folder, kept)
  return kept
}

/** Removes a checkpoint's files; the manifest goes first, so that an interrupted removal leaves nothing that looks whole. */
export function removeFolder(folder: string): void {
  rmSync(join(folder, manifestName), { force: true })
  rmSync(folder, { recursive: true, force: true })
}
