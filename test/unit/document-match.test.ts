import { describe, expect, it } from 'vitest'
import { matchDocuments } from '../../main/domain/document-match.ts'

const match = (patterns: string[], paths: string[], path = 'knowledge/birds/black_capped_chickadee') =>
  matchDocuments(
    { path, patterns },
    paths.map((name) => ({ segments: name.split('/') })),
  ).map(({ segments }) => segments.join('/'))

describe('matchDocuments', () => {
  it.each([
    ['a name, wherever the file lies', ['chickadee.md'], ['x/chickadee.md', 'y.md'], ['x/chickadee.md']],
    ['a path of the repository, by its name', ['docs/birds/chickadee.md'], ['chickadee.md'], ['chickadee.md']],
    [
      'wildcards within a name',
      ['chick*.md', 'ti?.md'],
      ['chickadee.md', 'tit.md', 'tits.md'],
      ['chickadee.md', 'tit.md'],
    ],
    [
      '** over folders',
      ['docs/**/birds-*.md'],
      ['docs/a/b/birds-1.md', 'docs/birds-2.md', 'birds-3.md'],
      ['docs/a/b/birds-1.md', 'docs/birds-2.md', 'birds-3.md'],
    ],
    [
      'a bare wildcard only within a folder of the leaf',
      ['*.md'],
      ['other.md', 'black_capped_chickadee/a.md', 'black_capped_chickadee/b.txt'],
      ['black_capped_chickadee/a.md'],
    ],
    [
      'a folder with the path of the leaf before all else',
      ['x.md'],
      ['knowledge/birds/black_capped_chickadee/a.md', 'x.md'],
      ['knowledge/birds/black_capped_chickadee/a.md'],
    ],
    [
      'the name of the leaf where no pattern fits',
      ['*.md'],
      ['Black-Capped Chickadee.md', 'other.md'],
      ['Black-Capped Chickadee.md'],
    ],
    ['letters of either case', ['CHICKADEE.MD'], ['chickadee.md'], ['chickadee.md']],
    ['nothing else', ['*.md', '**', '../../etc/passwd'], ['other.md', 'notes.md'], []],
    ['marks of regular expressions as they are', ['a+(b).md'], ['a+(b).md', 'aab.md'], ['a+(b).md']],
  ])('finds %s', (...[, patterns, paths, found]) => {
    expect(match(patterns, paths)).toEqual(found)
  })
  it('is quick on hostile patterns', () => {
    const started = performance.now()
    match([`${'*a'.repeat(100)}b`, `${'**/'.repeat(60)}x`], [`${'a'.repeat(250)}`, 'a/'.repeat(100)])
    expect(performance.now() - started).toBeLessThan(500)
  })
})
