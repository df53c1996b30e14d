// Bluesky's own PDS, and the directory in which it enters its accounts, on loopback, with one throw-away account.
// Prints one line of JSON when ready; ends when its standard input does, and leaves nothing behind.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { Server, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// The servers name a port only, which would open it on every interface.
const { listen } = Server.prototype
Server.prototype.listen = function (...args) {
  if (typeof args[0] === 'number' && typeof args[1] !== 'string') args.splice(1, 0, '127.0.0.1')
  return listen.apply(this, args)
}
process.env.LOG_ENABLED = 'false' // read when they are imported
const { Secp256k1Keypair } = await import('@atproto/crypto')
const { PDS } = await import('@atproto/pds')
const { Database, PlcServer } = await import('@did-plc/server')

const HANDLE = 'ngung-dan-ap.test'
const folder = mkdtempSync(join(tmpdir(), 'pds-'))
const secret = () => randomBytes(16).toString('hex')
const closing = []
const stop = async (code) => {
  const slow = new Promise((done) => setTimeout(done, 3000))
  await Promise.race([Promise.allSettled(closing.map((server) => server.destroy())), slow])
  rmSync(folder, { recursive: true, force: true })
  process.exit(code)
}

const freePort = () =>
  new Promise((found) => {
    const probe = createServer().listen(0, () => {
      const { port } = probe.address()
      probe.close(() => found(port))
    })
  })

const start = async () => {
  const directory = await freePort()
  const plc = PlcServer.create({ db: Database.mock(), port: directory })
  closing.push(plc)
  await plc.start()

  const port = await freePort()
  const rotation = await Secp256k1Keypair.create({ exportable: true })
  const pds = await PDS.fromEnv({
    devMode: true,
    port,
    hostname: 'localhost',
    didPlcUrl: `http://127.0.0.1:${directory}`,
    plcRotationKeyK256PrivateKeyHex: Buffer.from(await rotation.export()).toString('hex'),
    recoveryDidKey: rotation.did(),
    adminPassword: secret(),
    jwtSecret: secret(),
    dataDirectory: folder,
    blobstoreDiskLocation: join(folder, 'blobs'),
    serviceHandleDomains: ['.test'],
    enableDidDocWithSession: true, // as the public servers do
    inviteRequired: false,
    disableSsrfProtection: true,
    bskyAppViewUrl: 'https://appview.invalid',
    bskyAppViewDid: 'did:example:invalid',
  })
  closing.push(pds)
  await pds.start()

  const url = `http://127.0.0.1:${port}`
  const call = async (method, body, token) => {
    const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) }
    const answer = await fetch(`${url}/xrpc/com.atproto.${method}`, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(`${method}: ${answer.status} ${await answer.text()}`)
    return answer.json()
  }
  const who = { handle: HANDLE, email: 'campaign@example.test', password: secret() }
  const { did, accessJwt } = await call('server.createAccount', who)
  const labels = { $type: 'com.atproto.label.defs#selfLabels', values: [{ val: 'bot' }] }
  const record = { $type: 'app.bsky.actor.profile', displayName: 'Org', labels }
  await call('repo.putRecord', { repo: did, collection: record.$type, rkey: 'self', record }, accessJwt)
  const { password } = await call('server.createAppPassword', { name: 'campaignbot' }, accessJwt)
  return { url, did, handle: HANDLE, password }
}

process.stdin.resume().on('end', () => stop(0))
try {
  console.log(JSON.stringify(await start()))
} catch (error) {
  console.error(error)
  await stop(1)
}
