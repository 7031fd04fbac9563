// The remote teacher of the settings: checked before it is kept, let through the offline guard while it is kept, and listed among the
// open project's models, where it can be chosen like a file. Taking it out of the settings takes all of that back.

import { createHash } from 'node:crypto'
import { allowedConnections, allowHost } from '../compute/offline-guard.ts'
import { hostOf } from '../compute/remote-client.ts'
import { isRemotePath, remotePath } from '../compute/remote-host.ts'
import { testRemoteTeacher } from '../compute/remote-session.ts'
import type { ModelId } from '../contract/ids.ts'
import type { OfflineProof, RemoteTeacher, RemoteTest } from '../contract/workspace.ts'
import { deleteModel, listModels, saveModel } from '../store/models.ts'
import type { Lab } from './lab.ts'

/** Lets connections to this teacher through, and to nowhere else. Throws `bad-input` for an address that may not be used. */
export function allowTeacher(teacher: RemoteTeacher | null): void {
  allowHost(teacher && hostOf(teacher))
}

/** Asks a teacher for a sign of life; nothing is kept, and the guard is afterwards as it was. */
export async function tryTeacher(lab: Lab, teacher: RemoteTeacher): Promise<RemoteTest> {
  allowTeacher(teacher)
  try {
    return await testRemoteTeacher(teacher)
  } finally {
    allowTeacher(lab.settings().remoteTeacher)
  }
}

/** Makes the open project's models hold the remote teacher of the settings, and no other. */
export function listRemoteTeacher(lab: Lab): void {
  const { db } = lab.project()
  const { remoteTeacher } = lab.settings()
  const path = remoteTeacher && remotePath(remoteTeacher)
  const listed = listModels(db).filter((model) => isRemotePath(model.path))
  const gone = listed.filter((model) => model.path !== path)
  for (const model of gone) deleteModel(db, model.id)
  const isNew = remoteTeacher !== null && path !== null && gone.length === listed.length
  if (isNew) saveModel(db, modelOf(remoteTeacher, path), lab.now())
  if (isNew || gone.length > 0) lab.emit({ kind: 'changed', what: 'models' })
}

/** The host that is let through, for the proof of being offline. */
export function allowedPlace(): OfflineProof['allowedHost'] {
  const { allowed, count } = allowedConnections()
  return allowed && { host: `${allowed.host}:${allowed.port}`, connectionCount: count }
}

function modelOf({ model, url }: RemoteTeacher, path: string): Parameters<typeof saveModel>[1] {
  const sha256 = createHash('sha256').update(path).digest('hex')
  return {
    id: `model-${sha256.slice(0, 16)}` as ModelId,
    name: `${model} (${new URL(url).host})`,
    path,
    sizeBytes: 0,
    sha256,
    architecture: 'remote',
    parameterCount: 0,
    contextLength: 0,
    vocabSize: 0,
    fileType: '',
    licence: '',
    hasChatTemplate: true,
    promptPack: 'standard',
    isDemo: false,
    origin: '',
    unfit: {
      student: 'It runs on another machine; only a model file can be tuned.',
      embedder: 'It runs on another machine; texts are compared by a model file here.',
    },
  }
}
