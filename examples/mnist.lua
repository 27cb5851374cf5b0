-- MNIST: 60 000 handwritten digits to learn from, 10 000 to be tested on.
--
--   mlpl examples/mnist.lua DIR                 a multilayer perceptron
--   mlpl examples/mnist.lua DIR --hidden 0      softmax regression: no hidden layer
--   mlpl examples/mnist.lua DIR --hidden 800 --epochs 20
--
-- DIR holds the four files train-images-idx3-ubyte, train-labels-idx1-ubyte and the two
-- that begin with t10k, as published, with or without .gz. Fashion-MNIST has the same.

local mlpl = require "mlpl"
local nn, optim, data = mlpl.nn, mlpl.optim, mlpl.data

local args = mlpl.args {
  { "dir", "folder with the four files of MNIST" },
  epochs = { 10, "passes over the training data" },
  batch = { 64, "images in a step" },
  hidden = { 128, "units of the hidden layer; 0: none" },
  lr = { 3e-3, "learning rate at first; it falls to 0 along half a cosine" },
  dropout = { 0.2, "share of the hidden units left out at each step" },
  seed = { 42, "of the weights and the order of batches" },
  threads = { 0, "how many work, 0 for one per processor; the result is the same" },
  save = { "", "write the model to this file" },
}

mlpl.seed(args.seed)
if args.threads > 0 then mlpl.threads(args.threads) end

local function find(name)
  local path = args.dir .. "/" .. name
  local zipped <close> = io.open(path .. ".gz")
  return zipped and path .. ".gz" or path
end

local function read(part)
  local images, labels = part .. "-images-idx3-ubyte", part .. "-labels-idx1-ubyte"
  return assert(data.idx(find(images), find(labels)))
end

local train, test = read "train", read "t10k"

local model = nn.Sequential { nn.Flatten(), nn.Linear(784, 10) }
if args.hidden > 0 then
  model = nn.Sequential {
    nn.Flatten(),
    nn.Linear(784, args.hidden), nn.ReLU(), nn.Dropout(args.dropout),
    nn.Linear(args.hidden, 10),
  }
end
local opt = optim.Adam(model:parameters(), { lr = args.lr })

local progress = mlpl.progress { epochs = args.epochs }
for epoch = 1, args.epochs do
  opt.lr = args.lr * (1 + math.cos(math.pi * (epoch - 1) / args.epochs)) / 2
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
