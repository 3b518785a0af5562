import { expect, test } from 'vitest'
import { settle } from '../../testing/virtual-clock.ts'
import { createRefresher } from './refresher.ts'

function lab(limit: number) {
  const looks: { id: string; end: () => void; fail: (error: Error) => void }[] = []
  const refresher = createRefresher(
    limit,
    id =>
      new Promise((resolve, reject) => {
        looks.push({ id, end: resolve, fail: reject })
      }),
  )
  return { refresher, looks, ids: () => looks.map(look => look.id) }
}

test('a burst for one container is one look now and one afterwards', async () => {
  const { refresher, looks, ids } = lab(4)
  for (let i = 0; i < 10; i++) void refresher.refresh('a')
  expect(ids()).toEqual(['a'])
  looks[0]?.end()
  await settle()
  expect(ids()).toEqual(['a', 'a'])
  looks[1]?.end()
  await settle()
  expect(ids()).toEqual(['a', 'a'])
})

test('whoever asks during a look waits for the next one', async () => {
  const { refresher, looks } = lab(4)
  void refresher.refresh('a')
  let isDone = false
  void refresher.refresh('a').then(() => (isDone = true))
  looks[0]?.end()
  await settle()
  expect(isDone).toBe(false)
  looks[1]?.end()
  await settle()
  expect(isDone).toBe(true)
})

test('no more than the limit at once; a slow one does not hold up the others', async () => {
  const { refresher, looks, ids } = lab(2)
  for (const id of ['slow', 'b', 'c', 'd']) void refresher.refresh(id)
  expect(ids()).toEqual(['slow', 'b'])
  looks[1]?.end()
  await settle()
  expect(ids()).toEqual(['slow', 'b', 'c'])
  looks[2]?.end()
  await settle()
  expect(ids()).toEqual(['slow', 'b', 'c', 'd'])
})

test('a failed look is the failure of those who asked for it, and the next one is free', async () => {
  const { refresher, looks } = lab(1)
  const first = refresher.refresh('a')
  looks[0]?.fail(new Error('wedged'))
  await expect(first).rejects.toThrow('wedged')
  const second = refresher.refresh('a')
  looks[1]?.end()
  await expect(second).resolves.toBeUndefined()
})
