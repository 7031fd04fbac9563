// Model files: read, hashed, judged and registered in the open project. A model's id comes from its content, so a moved file is
// recognised and an added one is never doubled. Files are only ever read here.

import { createHash } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { isRemotePath } from '../compute/remote-host.ts'
import { AppError, toAppError } from '../contract/errors.ts'
import type { ModelId } from '../contract/ids.ts'
import type { Model, ModelRole } from '../contract/models.ts'
import { type GgufFile, readGguf } from '../domain/gguf.ts'
import { readModelFacts } from '../domain/model-facts.ts'
import { assignRole, findModel, findModelByPath, listModels, saveModel, type StoredModel } from '../store/models.ts'
import type { Lab } from './lab.ts'

/** First piece of a file that is read for its header; doubled until the header fits. */
const firstReadBytes = 1 << 20
/** The largest header there can be: a vocabulary of a million tokens stays far below. */
const largestHeaderBytes = 1 << 28

/**
 * Reads a GGUF and keeps it as a model of the open project. `origin` says which run made it ('' for a file of the user's).
 * @throws AppError `not-found`, `file-access`, `bad-gguf`
 */
export async function registerModel(
  lab: Lab,
  source: { path: string; origin?: string; name?: string },
): Promise<Model> {
  const { db } = lab.project()
  const path = resolve(source.path)
  const sizeBytes = await sizeOf(path)
  const facts = readModelFacts(await readHeader(path), basename(path), sizeBytes)
  const sha256 = await hashFile(path)
  const id = `model-${sha256.slice(0, 16)}` as ModelId
  const known = findModel(db, id)
  const stays = known && known.path !== path && sizeOnDisk(known.path) === known.sizeBytes
  const model = {
    ...facts,
    id,
    sha256,
    sizeBytes,
    path: stays ? known.path : path,
    name: source.name ?? known?.name ?? facts.name,
    origin: source.origin ?? known?.origin ?? '',
  }
  saveModel(db, model, lab.now())
  lab.emit({ kind: 'changed', what: 'models' })
  return withPresence({ ...model, roles: known?.roles ?? [] })
}

/** The model as clients see it now: a file that is gone or no longer the same is said to be so. */
export function withPresence(model: StoredModel): Model {
  if (isRemotePath(model.path)) return { ...model, isMissing: false }
  const size = sizeOnDisk(model.path)
  if (size === model.sizeBytes || size === null) return { ...model, isMissing: size === null }
  const changed = 'The file has changed since it was added. Add it again.'
  return { ...model, isMissing: false, unfit: { teacher: changed, student: changed, embedder: changed } }
}

/**
 * The model to play `role`, ready to be opened.
 * @throws AppError `not-found`, `model-missing`, `model-role`
 */
export function requireModel(lab: Lab, id: ModelId, role?: ModelRole): Model {
  const stored = findModel(lab.project().db, id)
  if (!stored)
    throw new AppError({
      code: 'not-found',
      message: `There is no model ${id} in this project.`,
      remedy: 'Choose one from the Models screen, or add its file.',
    })
  const model = withPresence(stored)
  if (model.isMissing)
    throw new AppError({
      code: 'model-missing',
      message: `The file of "${model.name}" is gone: ${model.path}`,
      remedy: 'Put the file back, or add it from where it is now.',
    })
  const reason = role && model.unfit[role]
  if (reason)
    throw new AppError({
      code: model.architecture !== 'llama' && role === 'student' ? 'unsupported-architecture' : 'model-role',
      message: `"${model.name}" cannot be the ${role}: ${reason}`,
      remedy: `Choose another model as ${role}.`,
    })
  return model
}

/** Models that ship with the app are found again when the app itself has moved or was updated; roles go with them. */
export async function relinkShipped(lab: Lab): Promise<void> {
  const { db } = lab.project()
  for (const lost of listModels(db)) {
    const shipped = join(lab.resources.demoModelsDir, basename(lost.path))
    if (!lost.isDemo || sizeOnDisk(lost.path) === lost.sizeBytes || sizeOnDisk(shipped) === null) continue
    const found = await registerModel(lab, { path: shipped })
    for (const role of lost.roles) assignRole(db, role, found.id)
  }
}

/** Whether the file at `path` is registered and unchanged in size, so that a scan need not hash it again. */
export function isKnownFile(lab: Lab, path: string): boolean {
  const known = findModelByPath(lab.project().db, resolve(path))
  return known !== undefined && sizeOnDisk(known.path) === known.sizeBytes
}

/** The header of a GGUF file, reading no more of it than needed. */
export async function readHeader(path: string): Promise<GgufFile> {
  const handle = await open(path, 'r').catch((thrown: unknown) => {
    throw toAppError(thrown)
  })
  try {
    return await readGrowing(handle)
  } finally {
    await handle.close()
  }
}

async function readGrowing(handle: FileHandle): Promise<GgufFile> {
  const { size } = await handle.stat()
  for (let wanted = firstReadBytes; ; wanted *= 4) {
    const bytes = Buffer.alloc(Math.min(wanted, size))
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0)
    try {
      return readGguf(bytes.subarray(0, bytesRead))
    } catch (thrown) {
      // Possibly only the piece was too short; another kind of file, the whole file, or an absurd header is refused for good.
      const isGguf = bytes.toString('latin1', 0, 4) === 'GGUF'
      if (!isGguf || wanted >= size || wanted >= largestHeaderBytes) throw thrown
    }
  }
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch((thrown: unknown) => {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw toAppError(thrown)
    throw new AppError({
      code: 'not-found',
      message: `There is no file ${path}`,
      remedy: 'Check the path and try again.',
    })
  })
  if (found.isFile()) return found.size
  throw new AppError({
    code: 'bad-input',
    message: `${path} is not a file.`,
    remedy: 'Choose a GGUF file, or scan the folder for models.',
  })
}

/** Size of a file; null when it is not there or cannot be seen. */
function sizeOnDisk(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.size ?? null
}

/** SHA-256 of a file, streamed. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece as Buffer)
  return hash.digest('hex')
}
