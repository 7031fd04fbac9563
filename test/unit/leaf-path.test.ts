import { describe, expect, it } from 'vitest'
import { branchOf, checkLeafPath, leafPathOf } from '../../main/domain/leaf-path.ts'

describe('leafPathOf', () => {
  it('counts from the branch, whatever part of a taxonomy was chosen', () => {
    const leaf = 'knowledge/birds/tit'
    expect(leafPathOf(['home', 'taxonomy'], ['knowledge', 'birds', 'tit'])).toBe(leaf)
    expect(leafPathOf(['home', 'taxonomy', 'knowledge'], ['birds', 'tit'])).toBe(leaf)
    expect(leafPathOf(['home', 'taxonomy', 'knowledge', 'birds', 'tit'], [])).toBe(leaf)
    expect(leafPathOf(['home', 'knowledge', 'tax'], ['sub', 'knowledge', 'birds', 'tit'])).toBe(leaf)
    expect(leafPathOf(['home'], ['birds', 'tit'])).toBeNull()
  })
})

describe('checkLeafPath', () => {
  it('accepts lower_snake_case under a branch', () => {
    expect(checkLeafPath('compositional_skills/grounded/e_mail_2')).toEqual([])
    expect(branchOf('foundational_skills/x')).toBe('foundational_skills')
  })
  it('warns of other styles and proposes a name', () => {
    const [first, ...rest] = checkLeafPath('knowledge/Black-Capped Chickadée/ok')
    expect(first).toMatchObject({ severity: 'warning', remedy: 'Rename it to "black_capped_chickadee".' })
    expect(rest).toEqual([])
  })
  it.each([
    'birds/tit',
    'knowledge',
    'knowledge/../x',
    'knowledge//x',
    'knowledge/.hidden',
    'knowledge/a\\b',
    'knowledge/con',
    'knowledge/c:',
    'knowledge/a.',
    'knowledge/a\u0000',
    '/knowledge/a',
    '',
    `knowledge/${'a/'.repeat(20)}b`,
  ])('refuses %j', (path) => {
    expect(checkLeafPath(path)).toMatchObject([{ severity: 'error', field: 'path' }])
  })
})
