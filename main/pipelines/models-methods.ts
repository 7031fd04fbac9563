// model.*: add, scan, list, forget, and who plays which role.

import { type Dirent, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { AppError, toAppError } from '../contract/errors.ts'
import type { Model } from '../contract/models.ts'
import { assignRole, deleteModel, listModels } from '../store/models.ts'
import type { Handlers, Lab } from './lab.ts'
import { isKnownFile, registerModel, requireModel, withPresence } from './models.ts'

/** How deep a scan looks, and how many files it takes up. */
const scanDepth = 4
const scanLimit = 500

type ModelMethods = 'model.list' | 'model.add' | 'model.scan' | 'model.remove' | 'model.assign'

export function modelsMethods(lab: Lab): Handlers<ModelMethods> {
  const list = (): Model[] => listModels(lab.project().db).map(withPresence)
  return {
    'model.list': list,
    'model.add': ({ path }) => registerModel(lab, { path }),
    'model.scan': async ({ folder }) => {
      const added: Model[] = []
      const refused: { path: string; message: string; remedy: string }[] = []
      for (const path of findGgufs(resolve(folder))) {
        if (isKnownFile(lab, path)) continue
        try {
          added.push(await registerModel(lab, { path }))
        } catch (thrown) {
          const { message, remedy } = toAppError(thrown)
          refused.push({ path, message, remedy })
        }
      }
      return { added, refused }
    },
    'model.remove': ({ modelId }) => {
      deleteModel(lab.project().db, modelId)
      lab.emit({ kind: 'changed', what: 'models' })
      return null
    },
    'model.assign': ({ modelId, role }) => {
      requireModel(lab, modelId, role)
      assignRole(lab.project().db, role, modelId)
      lab.emit({ kind: 'changed', what: 'models' })
      return list()
    },
  }
}

/** GGUF files below a folder; of a model split over files only the first part. */
function findGgufs(folder: string): string[] {
  const found: string[] = []
  const visit = (dir: string, depth: number) => {
    for (const entry of readFolder(dir, depth === 0)) {
      if (found.length >= scanLimit) return
      const path = join(dir, entry.name)
      if (entry.isDirectory() && depth < scanDepth && !entry.name.startsWith('.')) visit(path, depth + 1)
      else if (/\.gguf$/i.test(entry.name) && !/-0*([2-9]|\d\d+)-of-\d+\.gguf$/i.test(entry.name)) found.push(path)
    }
  }
  visit(folder, 0)
  return found.sort()
}

function readFolder(dir: string, isTop: boolean): Dirent[] {
  try {
    return readdirSync(dir, { withFileTypes: true })
  } catch (thrown) {
    // A folder below that may not be read is passed over; the one the user named is not.
    if (!isTop) return []
    const { code, detail } = toAppError(thrown)
    throw new AppError({
      code: code === 'internal' ? 'file-access' : code,
      message: `The folder ${dir} cannot be read.`,
      remedy: 'Choose a folder that exists and that your account may read.',
      detail,
    })
  }
}
