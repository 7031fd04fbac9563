import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { walkFolder } from '../../main/pipelines/folder-walk.ts'
import { createTestFolder, type TestFolder } from '../support/taxonomy-files.ts'

let folder: TestFolder
beforeEach(() => {
  folder = createTestFolder()
})
afterEach(() => folder.dispose())

it('a folder is walked in the order of names, depth by depth or not', async () => {
  for (const path of ['b/z/1', 'a', 'b/a', 'b/z/0', 'c', 'b.txt', 'B', '.hidden/x', 'node_modules/y'])
    folder.put(path, path)
  const { files, refused } = await walkFolder(folder.path)
  expect(files.map(({ segments }) => segments.join('/'))).toEqual(['B', 'a', 'b/a', 'b/z/0', 'b/z/1', 'b.txt', 'c'])
  expect(refused).toEqual([])
  expect(files.map(({ sizeBytes }) => sizeBytes)).toEqual([1, 1, 3, 5, 5, 5, 1])
})
it('a folder deeper than anyone means to walk is refused there, and the rest is found', async () => {
  const deep = Array.from({ length: 26 }, () => 'd').join('/')
  folder.put(`${deep}/lost`, 'x')
  folder.put('found', 'x')
  const { files, refused } = await walkFolder(folder.path)
  expect(files.map(({ segments }) => segments)).toEqual([['found']])
  expect(refused).toMatchObject([{ message: expect.stringContaining('folders deep') }])
})
it('more files than a taxonomy has are not looked at, which is told', async () => {
  for (let at = 0; at < 60; at++) folder.put(`${at % 2 === 0 ? 'a' : 'b'}/${at}`, '')
  const { files, refused } = await walkFolder(folder.path, 50)
  expect(files).toHaveLength(50)
  expect(files.filter(({ segments }) => segments[0] === 'a')).toHaveLength(30)
  expect(refused).toMatchObject([{ path: join(folder.path, 'b'), message: expect.stringContaining('first 50 files') }])
  expect((await walkFolder(folder.path, 60)).refused).toEqual([])
})
