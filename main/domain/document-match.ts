// Which files of a documents folder belong to a knowledge leaf: those its patterns name, or those kept under its name. Pure matching
// of names; nothing here can reach a file that was not listed.

/** A file that could be a document, by its names below the documents folder. */
interface Candidate {
  segments: readonly string[]
}

/**
 * Files of a leaf, in the order given. First those in a folder named by the leaf (its path or its last name); else those its patterns
 * name outright; else those whose own name is the leaf's. A pattern of wildcards only (`*.md`) chooses within such a folder only.
 */
export function matchDocuments<File extends Candidate>(
  leaf: { path: string; patterns: readonly string[] },
  files: readonly File[],
): File[] {
  const name = leaf.path.split('/').at(-1) ?? ''
  const patterns = leaf.patterns.filter((pattern) => !leavesFolder(pattern))
  const own = files.filter(({ segments }) => isFolderOf(leaf.path, name, segments.slice(0, -1)))
  const chosen = own.filter(({ segments }) => patterns.some((pattern) => matchesPattern(pattern, segments)))
  if (own.length > 0) return chosen.length > 0 ? chosen : own
  const outright = patterns.filter((pattern) => /[^*?./]/.test(pattern.replace(/\.[^.]*$/, '')))
  const named = files.filter(({ segments }) => outright.some((pattern) => matchesPattern(pattern, segments)))
  if (named.length > 0) return named
  return files.filter(({ segments }) => plainName(segments.at(-1) ?? '') === name)
}

/** Whether a pattern names files outside the folder it is looked up in: it is absolute or climbs. */
export function leavesFolder(pattern: string): boolean {
  return /^(?:[/\\~]|[A-Za-z]:)/.test(pattern) || pattern.split(/[/\\]/).includes('..')
}

function isFolderOf(path: string, name: string, folders: readonly string[]): boolean {
  const joined = folders.join('/')
  return joined === path || joined.startsWith(`${path}/`) || folders.some((folder) => folder === name)
}

/** Without its ending, in lower_snake_case. */
function plainName(file: string): string {
  return file
    .replace(/\.[^.]*$/, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '_')
}

/** Whether a pattern names a file by its whole path from the root of a repository. */
export function matchesFromRoot(pattern: string, segments: readonly string[]): boolean {
  return !leavesFolder(pattern) && matchesPath(pattern.replace(/^\.\//, '').split('/'), segments)
}

/** A git path pattern against the whole path or, as git does for patterns without a slash, against the file's name. */
function matchesPattern(pattern: string, segments: readonly string[]): boolean {
  const wanted = pattern.replace(/^\.?\//, '').split('/')
  const name = segments.slice(-1)
  return matchesPath(wanted, segments) || matchesPath(wanted.slice(-1), name)
}

/** `**` stands for any folders, `*` for any characters within a name, `?` for one. */
function matchesPath(pattern: readonly string[], segments: readonly string[]): boolean {
  return matches(pattern, segments, { many: '**', isOne: (wanted, name) => matchesName(wanted, name) })
}

function matchesName(pattern: string, name: string): boolean {
  const isOne = (wanted: string, letter: string) => wanted === '?' || wanted.toLowerCase() === letter.toLowerCase()
  return matches([...pattern.replace(/\*+/g, '*')], [...name], { many: '*', isOne })
}

/** Wildcard matching that returns only to the last `many`, so that a hostile pattern costs pattern x text and no more. */
function matches(
  pattern: readonly string[],
  text: readonly string[],
  { many, isOne }: { many: string; isOne: (wanted: string, given: string) => boolean },
): boolean {
  let at = 0
  let wanted = 0
  let last: { at: number; wanted: number } | null = null
  while (at < text.length) {
    if (pattern[wanted] === many) {
      last = { at, wanted }
      wanted++
    } else if (wanted < pattern.length && isOne(pattern[wanted] ?? '', text[at] ?? '')) {
      at++
      wanted++
    } else if (last) {
      last.at++
      at = last.at
      wanted = last.wanted + 1
    } else return false
  }
  return pattern.slice(wanted).every((rest) => rest === many)
}
