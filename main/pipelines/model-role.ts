// The model that plays a role in the open project, opened for a few questions.

import { AppError } from '../contract/errors.ts'
import type { Model, ModelRole } from '../contract/models.ts'
import { openLastingSession } from '../compute/lasting-session.ts'
import type { LlamaSession } from '../compute/llama-protocol.ts'
import { type ChatTemplate, createChatTemplate } from '../domain/chat-template.ts'
import { listModels } from '../store/models.ts'
import type { Lab } from './lab.ts'
import { requireModel } from './models.ts'

/** @throws AppError `model-missing` when no model has the role, and what `requireModel` throws */
export function requireRole(lab: Lab, role: ModelRole): Model {
  const found = listModels(lab.project().db).find(({ roles }) => roles.includes(role))
  if (found) return requireModel(lab, found.id, role)
  throw new AppError({
    code: 'model-missing',
    message: `This project has no ${role}.`,
    remedy: `Choose a model as ${role} on the Models screen.`,
  })
}

const step = 64

/** Runs `ask` with the model opened for texts of up to `bytes` bytes (a token has at least one) and closes it again. */
export async function withModel<Answer>(
  lab: Lab,
  { model, bytes }: { model: Model; bytes: number },
  ask: (session: LlamaSession, template: ChatTemplate) => Promise<Answer>,
): Promise<Answer> {
  const { threads, gpu } = lab.settings()
  const request = { modelPath: model.path, sequences: 1, threads, gpu }
  // The first session only tells the chat form, which may add a long system prompt; the model it loads is shared with the second.
  const form = await openLastingSession(lab.llama, { ...request, contextTokens: step })
  try {
    const template = createChatTemplate(form.reply.chat)
    const frame = Buffer.byteLength(template.renderPrompt([{ role: 'user', content: '' }]))
    const wanted = Math.ceil((bytes + frame + step) / step) * step
    const contextTokens = Math.min(wanted, Math.max(step, form.reply.trainContextTokens))
    const session = await openLastingSession(lab.llama, { ...request, contextTokens })
    try {
      return await ask(session, template)
    } finally {
      await session.dispose()
    }
  } finally {
    await form.dispose()
  }
}
