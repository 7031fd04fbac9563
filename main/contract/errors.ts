// The one error shape of the product. Every failure a user can meet is an AppError with a remedy in the user's words;
// foreign errors are translated once, where they enter. Codes are a closed union, so a client can switch on them.

/** Every code an AppError may carry. */
export const errorCodes = [
  'bad-input',
  'bad-qna',
  'bad-document',
  'bad-gguf',
  'unsupported-architecture',
  'model-missing',
  'model-role',
  'not-found',
  'conflict',
  'disk-full',
  'file-access',
  'out-of-memory',
  'worker-died',
  'trainer-missing',
  'trainer-failed',
  'not-finite',
  'database',
  'cancelled',
  'unauthorised',
  'unsupported-runtime',
  'internal',
] as const

export type ErrorCode = (typeof errorCodes)[number]

/** What crosses a wire in place of an AppError. */
export interface ErrorFrame {
  code: ErrorCode
  message: string
  /** One imperative sentence: what the user can do now. */
  remedy: string
  /** Technical words for a bug report; never needed to act. */
  detail?: string
}

/** The only error the engine throws on purpose. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly remedy: string
  readonly detail: string | undefined

  constructor(frame: ErrorFrame, options?: { cause?: unknown }) {
    super(frame.message, options)
    this.name = 'AppError'
    this.code = frame.code
    this.remedy = frame.remedy
    this.detail = frame.detail
  }

  /** The wire form; `cause` stays on this side. */
  toFrame(): ErrorFrame {
    const frame: ErrorFrame = { code: this.code, message: this.message, remedy: this.remedy }
    if (this.detail !== undefined) frame.detail = this.detail
    return frame
  }
}

/** Translates anything thrown into an AppError; a file-system or SQLite "no space" becomes `disk-full`. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const systemCode = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const known = systemErrors[systemCode]
  const detail = systemCode ? `${systemCode}: ${error.message}` : (error.stack ?? error.message)
  if (known) return new AppError({ ...known, detail }, { cause: error })
  return new AppError(
    {
      code: 'internal',
      message: `Labdesk met an unexpected problem: ${error.message}`,
      remedy: 'Try again; if it returns, save the log from Settings and report it.',
      detail,
    },
    { cause: error },
  )
}

const diskFull: ErrorFrame = {
  code: 'disk-full',
  message: 'The disk is full, so the last write was not made.',
  remedy: 'Free some space on the disk that holds the project, then resume.',
}
const noAccess: ErrorFrame = {
  code: 'file-access',
  message: 'A file or folder could not be opened because access was refused.',
  remedy: 'Give your user account access to the file, or choose another folder.',
}
const systemErrors: Record<string, ErrorFrame> = {
  ENOSPC: diskFull,
  EDQUOT: diskFull,
  SQLITE_FULL: diskFull,
  EACCES: noAccess,
  EPERM: noAccess,
  EROFS: noAccess,
  ENOENT: {
    code: 'not-found',
    message: 'A file that is needed is not there.',
    remedy: 'Check the path, or put the file back where it was.',
  },
}
