// The llama host with one more kind of model: those whose path is a web address are asked over HTTP, and only while the user's settings
// name that server. Opens nothing itself; the offline guard lets through what the settings allow.

import { AppError } from '../contract/errors.ts'
import type { RemoteTeacher } from '../contract/workspace.ts'
import type { LlamaHost } from './llama-protocol.ts'
import { openRemoteSession } from './remote-session.ts'

/** How a remote teacher is written where a model's path stands. */
export function remotePath({ url, model }: Pick<RemoteTeacher, 'url' | 'model'>): string {
  return `${url.replace(/\/+$/, '')}#${model}`
}

export function isRemotePath(path: string): boolean {
  return /^https?:\/\//.test(path)
}

/** `remoteTeacher` is asked at each opening, since settings change. */
export function withRemoteTeacher(local: LlamaHost, remoteTeacher: () => RemoteTeacher | null): LlamaHost {
  return {
    async openSession(request) {
      if (!isRemotePath(request.modelPath)) return local.openSession(request)
      const teacher = remoteTeacher()
      if (!teacher || remotePath(teacher) !== request.modelPath)
        throw new AppError({
          code: 'model-missing',
          message: 'This remote teacher is switched off.',
          remedy: 'Name it again in Settings, Remote teacher, or choose another teacher.',
        })
      return openRemoteSession(teacher, { sequences: request.sequences })
    },
    openEmbedder: (request) => local.openEmbedder(request),
    get pid() {
      return local.pid
    },
    close: () => local.close(),
  }
}
