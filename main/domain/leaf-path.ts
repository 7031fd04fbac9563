// The path that names a leaf: branch first, then folders. Owns what a path may look like; knows no file system.

import type { LeafPath } from '../contract/ids.ts'
import { type Branch, branches, type QnaProblem } from '../contract/taxonomy.ts'

const maxSegments = 20
const snakeCase = /^[a-z0-9]+(?:_[a-z0-9]+)*$/
/** Safe as a folder name on every system. */
// biome-ignore format: one class
const unsafe = /[\u0000-\u001f<>:"|?*\\]|[. ]$|^\.|^(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?$/i

/** Branch of a leaf path, or null when it begins with none. */
export function branchOf(path: string): Branch | null {
  const first = path.split('/')[0]
  return branches.find((branch) => branch === first) ?? null
}

/**
 * The leaf path of a folder `inside` (names from `root` on) of a chosen folder `root` (names from the disk's root on): from the
 * first branch inside it, else from the last branch above it, so that any part of a taxonomy may be chosen. Null without a branch.
 */
export function leafPathOf(root: readonly string[], inside: readonly string[]): LeafPath | null {
  const isBranch = (segment: string) => branches.some((branch) => branch === segment)
  const within = inside.findIndex(isBranch)
  if (within !== -1) return inside.slice(within).join('/') as LeafPath
  const above = root.findLastIndex(isBranch)
  return above === -1 ? null : ([...root.slice(above), ...inside].join('/') as LeafPath)
}

/** What is wrong with a path: errors where it cannot be used, warnings where it breaks the taxonomy's style. */
export function checkLeafPath(path: string): QnaProblem[] {
  const problem = (severity: QnaProblem['severity'], message: string, remedy: string): QnaProblem => ({
    severity,
    line: 1,
    column: 1,
    field: 'path',
    message,
    remedy,
  })
  const segments = path.split('/')
  if (!branchOf(path)) {
    return [problem('error', `The path "${path}" begins with no branch.`, `Begin it with ${branches.join('/, ')}/.`)]
  }
  if (segments.length < 2) {
    return [problem('error', `"${path}" is a branch, not a leaf.`, 'Add a folder name for the leaf after the branch.')]
  }
  if (segments.length > maxSegments || path.length > 400) {
    return [problem('error', `The path is longer than ${maxSegments} folders or 400 characters.`, 'Shorten it.')]
  }
  const bad = segments.find((segment) => segment === '' || unsafe.test(segment))
  if (bad !== undefined) {
    return [
      problem(
        'error',
        `"${bad}" cannot be the name of a folder on every system.`,
        'Use lower-case letters, digits and underscores.',
      ),
    ]
  }
  return segments
    .filter((segment) => !snakeCase.test(segment))
    .map((segment) =>
      problem(
        'warning',
        `The folder "${segment}" is not in lower_snake_case.`,
        `Rename it to "${toSnakeCase(segment)}".`,
      ),
    )
}

function toSnakeCase(name: string): string {
  const snake = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
  return snake || 'leaf'
}
