namespace Merge.Samples.Digits;

/// <summary>One checkpoint of the zoo.</summary>
/// <param name="Name">A folder name, with '/' between a run and its checkpoint.</param>
/// <param name="Step">Optimiser steps behind it, counted from its own start.</param>
/// <param name="Model">The weights.</param>
/// <param name="SecondMoments">Adam's <c>exp_avg_sq</c> after the last step, in the model's shapes.</param>
public sealed record ZooModel(string Name, int Step, DigitsModel Model, DigitsModel SecondMoments);

/// <summary>
/// The checkpoints that the demo merges: a base that has seen a quarter of the rows, fine-tunes of it on
/// everything, one noisy run in many checkpoints, two specialists that each saw half of the digits, and a model of its
/// own origin.
/// </summary>
public static class DigitsZoo
{
    /// <summary>The model that every other one starts from.</summary>
    public const string Base = "base";

    /// <summary>Trained from other initial weights: no merge partner for the rest, which a merge should show.</summary>
    public const string Unrelated = "unrelated";

    /// <summary>Prefix of the checkpoints of one run: <c>run/checkpoint-212</c> and so on.</summary>
    public const string Trajectory = "run/checkpoint-";

    /// <summary>What each specialist was trained on.</summary>
    public static IReadOnlyDictionary<string, int[]> Specialists { get; } = new SortedDictionary<string, int[]>
    {
        ["digits-0-to-4"] = [0, 1, 2, 3, 4],
        ["digits-5-to-9"] = [5, 6, 7, 8, 9],
    };

    /// <summary>The fine-tunes on all digits, by name.</summary>
    public static IReadOnlyDictionary<string, TrainingOptions> FineTunes { get; } =
        new SortedDictionary<string, TrainingOptions>
        {
            ["tune-1"] = new() { Seed = 11, LearningRate = 1e-3f, Epochs = 12, Decay = true },
            ["tune-2"] = new() { Seed = 12, LearningRate = 1e-3f, Epochs = 12, Decay = true },
            ["tune-3"] = new() { Seed = 13, LearningRate = 2e-3f, Epochs = 12, Decay = true },
            ["tune-4-low-rate"] = new() { Seed = 14, LearningRate = 1e-4f, Epochs = 12, Decay = true },
            ["tune-5-high-rate"] = new() { Seed = 15, LearningRate = 3e-2f, Epochs = 12, Decay = false },
            ["tune-6-noise"] = new() { Seed = 16, LearningRate = 1e-3f, Epochs = 12, Decay = true, Noise = 0.3f },
        };

    private const int BaseRows = 1000;

    /// <summary>Trains all of them, independent runs side by side; the same bits on any number of threads.</summary>
    /// <param name="train">The training split.</param>
    /// <param name="onTrained">Told of every checkpoint as it appears, from several threads, in no fixed order.</param>
    /// <returns>The base, the fine-tunes, the run's checkpoints by step, the specialists, the unrelated
    /// model.</returns>
    public static IReadOnlyList<ZooModel> Train(DigitsSplit train, Action<ZooModel>? onTrained = null)
    {
        var start = Run(Base, null, train.Rows(0, BaseRows), BaseOptions)[^1];
        (string Name, DigitsModel? From, DigitsSplit Rows, TrainingOptions Options)[] runs =
        [
            .. FineTunes.Select(tune => (tune.Key, start.Model, train, tune.Value)),
            (Trajectory, start.Model, train, TrajectoryOptions),
            .. Specialists.Select(task => (task.Key, start.Model, train.Only(task.Value), SpecialistOptions)),
            (Unrelated, null, train, UnrelatedOptions),
        ];
        var trained = new IReadOnlyList<ZooModel>[runs.Length];
        Parallel.For(0, runs.Length, i => trained[i] = Run(runs[i].Name, runs[i].From, runs[i].Rows, runs[i].Options));
        return [start, .. trained.SelectMany(models => models)];

        List<ZooModel> Run(string name, DigitsModel? from, DigitsSplit rows, TrainingOptions options)
        {
            List<ZooModel> models = [];
            Trainer.Train(from, rows, options, (step, model, moments) =>
            {
                var zooModel = new ZooModel(name == Trajectory ? name + step : name, step, model, moments);
                models.Add(zooModel);
                onTrained?.Invoke(zooModel);
            });
            return models;
        }
    }

    private static TrainingOptions BaseOptions { get; } = new() { Seed = 1, LearningRate = 1e-3f, Epochs = 8 };

    // Constant and rather high rate, small batches: checkpoints circle around a minimum that their average comes closer
    // to.
    private static TrainingOptions TrajectoryOptions { get; } =
        new() { Seed = 21, LearningRate = 3e-3f, Epochs = 8, BatchSize = 8, CheckpointEvery = 212 };

    private static TrainingOptions SpecialistOptions { get; } =
        new() { Seed = 31, LearningRate = 5e-4f, Epochs = 6, Decay = true };

    private static TrainingOptions UnrelatedOptions { get; } = new() { Seed = 41, Epochs = 12, Decay = true };
}
