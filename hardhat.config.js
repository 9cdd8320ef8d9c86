// Hardhat 2: compiles with the compiler of the npm package `solc` (no download), runs a node, and deploys.
//
//   npx hardhat compile
//   npx hardhat node
//   npx hardhat deploy --network localhost          by the first account that the node knows
//   ROOTMARK_RPC_URL=... ROOTMARK_DEPLOYER_KEY=0x... npx hardhat deploy --network custom
"use strict";

const { readFileSync } = require("node:fs");
const path = require("node:path");
const { subtask, task } = require("hardhat/config");
const {
  TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD,
  TASK_COMPILE_SOLIDITY_GET_SOURCE_PATHS,
} = require("hardhat/builtin-tasks/task-names");

const compiler = require("./contracts/compiler.json");
const output = process.env.ROOTMARK_HARDHAT_OUT || path.join(__dirname, "node_modules", ".cache", "rootmark-hardhat");

// The CREATE2 factory that has the same address on every chain where it exists: call data is salt || init code.
const FACTORY = "0x4e59b44847b379578588920ca78fbf26c0b4956c";

subtask(TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD, async ({ solcVersion }) => {
  const installed = require("solc/package.json").version;
  if (installed !== solcVersion) {
    throw new Error(`npm package solc is ${installed}, but ${solcVersion} is asked for: run "npm ci --ignore-scripts"`);
  }
  return {
    version: solcVersion,
    longVersion: require("solc").version(),
    compilerPath: require.resolve("solc/soljson.js"),
    isSolcJs: true,
  };
});

// contracts/test belongs to forge.
subtask(TASK_COMPILE_SOLIDITY_GET_SOURCE_PATHS, async (_, hre, runSuper) => {
  const tests = path.join(hre.config.paths.sources, "test") + path.sep;
  return (await runSuper()).filter((file) => !file.startsWith(tests));
});

task("deploy", "Deploys the committed bytecode, through the CREATE2 factory where the chain has it")
  .setAction(async (_, { network }) => {
    const artifact = JSON.parse(readFileSync(path.join(__dirname, compiler.artifact), "utf8"));
    const request = (method, ...params) => network.provider.request({ method, params });
    const [from] = await request("eth_accounts");
    const hasFactory = (await request("eth_getCode", FACTORY, "latest")) !== "0x";
    let address = hasFactory ? artifact.create2.address : null;
    if (address === null || (await request("eth_getCode", address, "latest")) === "0x") {
      const transaction = hasFactory
        ? { from, to: FACTORY, data: artifact.create2.salt + artifact.bytecode.slice(2) }
        : { from, data: artifact.bytecode };
      const hash = await request("eth_sendTransaction", transaction);
      let receipt = null;
      while (receipt === null) {
        receipt = await request("eth_getTransactionReceipt", hash);
        if (receipt === null) await new Promise((wake) => setTimeout(wake, 500));
      }
      if (receipt.status !== "0x1") throw new Error(`deployment failed in transaction ${hash}`);
      address = address ?? receipt.contractAddress;
    }
    if ((await request("eth_getCode", address, "latest")) !== artifact.deployedBytecode) {
      throw new Error(`the code at ${address} is not the registry's`);
    }
    console.log(address);
    return address;
  });

const custom = process.env.ROOTMARK_RPC_URL
  ? { custom: { url: process.env.ROOTMARK_RPC_URL, accounts: [process.env.ROOTMARK_DEPLOYER_KEY].filter(Boolean) } }
  : {};

/** @type import("hardhat/config").HardhatUserConfig */
module.exports = {
  solidity: { version: compiler.version, settings: compiler.settings },
  networks: {
    hardhat: { chainId: 31337, hardfork: compiler.settings.evmVersion },
    ...custom,
  },
  paths: {
    sources: "./contracts",
    artifacts: path.join(output, "artifacts"),
    cache: path.join(output, "cache"),
  },
};
