-- Handwritten digits, 8 x 8 pixels: a multilayer perceptron, trained in a second.
--
--   mlpl examples/digits.lua [--epochs 40] [--hidden 64] [--save digits.safetensors]

local mlpl = require "mlpl"
local nn, optim, data = mlpl.nn, mlpl.optim, mlpl.data

local here = arg and arg[0]:match "^.*/" or ""
local args = mlpl.args {
  epochs = { 40, "passes over the training data" },
  batch = { 32, "examples in a step" },
  hidden = { 64, "units of the hidden layer" },
  lr = { 1e-3, "learning rate" },
  seed = { 42, "of the split, the weights and the order of batches" },
  threads = { 0, "how many work, 0 for one per processor; the result is the same" },
  data = { here .. "data/digits.csv.gz", "the digits, the label in the last column" },
  save = { "", "write the model to this file" },
}

mlpl.seed(args.seed)
if args.threads > 0 then mlpl.threads(args.threads) end

local digits = assert(data.csv(args.data, { labels = -1 }))
local train, test = digits:split(0.8, { shuffle = true, stratify = true })

local model = nn.Sequential {
  nn.Linear(64, args.hidden), nn.ReLU(),
  nn.Linear(args.hidden, 10),
}
local opt = optim.Adam(model:parameters(), { lr = args.lr })

local progress = mlpl.progress { epochs = args.epochs }
for _ = 1, args.epochs do
  for x, y in progress:epoch(train:batches { size = args.batch, shuffle = true }) do
    local loss = nn.cross_entropy(model(x), y)
    opt:zero_grad()
    loss:backward()
    opt:step()
    progress:loss(loss)
  end
end

if args.save ~= "" then model:save(args.save) end
local share = mlpl.metrics.accuracy(model:predict(test.x), test.y)
print(("test accuracy: %.4f"):format(share))
